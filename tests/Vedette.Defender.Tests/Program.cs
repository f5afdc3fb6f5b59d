// The child process of the tests that kill one.
Console.WriteLine("No such child.");
return 2;
