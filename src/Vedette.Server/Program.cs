// The one program: `vedette up` serves, every other word is an administrative command.
return await Vedette.Server.Cli.CommandLine.RunAsync(args);
