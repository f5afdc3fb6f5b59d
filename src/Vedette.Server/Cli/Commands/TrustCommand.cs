using System.CommandLine;
using System.Diagnostics;
using Vedette.Server.Hosting;

namespace Vedette.Server.Cli.Commands;

/// <summary><c>vedette trust</c>: helps a platform to trust the server's certificate authority. Works whether or not a server runs.</summary>
internal static class TrustCommand
{
    // Where the systems we know keep the certificates that everything trusts.
    private static readonly string[] SystemBundles =
    [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    ];

    // Where systems take further certificates from, and what they are told then: Debian, Ubuntu and Alpine; Fedora and Red Hat; Arch; SUSE. Debian's
    // program leaves links to a certificate that is gone unless it begins afresh.
    private static readonly (string Folder, string Program, string[] Install, string[] Remove)[] Stores =
    [
        ("/usr/local/share/ca-certificates", "update-ca-certificates", [], ["--fresh"]),
        ("/etc/pki/ca-trust/source/anchors", "update-ca-trust", ["extract"], ["extract"]),
        ("/etc/ca-certificates/trust-source/anchors", "trust", ["extract-compat"], ["extract-compat"]),
        ("/etc/pki/trust/anchors", "update-ca-certificates", [], []),
    ];

    public static Command Create()
    {
        var data = OperationCommand.DataOption();
        var print = new Option<bool>("--print") { Description = "Print the authority's certificate (PEM)." };
        var env = new Option<bool>("--env") { Description = "Print lines for a shell that make Python, Node, .NET and curl trust it, for eval." };
        var hostsFile = new Option<bool>("--hosts-file") { Description = "Print lines for a hosts file that lead the real services' names to this machine." };
        var install = new Option<bool>("--install") { Description = "Install it into the system's store, so that every program trusts it. Needs to be run as root." };
        var remove = new Option<bool>("--remove") { Description = "Take it out of the system's store again." };
        var command = new Command("trust", "Make clients trust the server's certificate authority, which can certify localhost and the emulated hosts only.")
        {
            data, print, env, hostsFile, install, remove,
        };
        Option<bool>[] choices = [print, env, hostsFile, install, remove];
        command.Validators.Add(result =>
        {
            if (choices.Count(choice => result.GetValue(choice)) != 1) result.AddError("trust takes one of --print, --env, --hosts-file, --install and --remove.");
        });
        command.SetAction((parsed, cancellationToken) => OperationCommand.ReportAsync(async () =>
        {
            if (parsed.GetValue(hostsFile))
            {
                await Console.Out.WriteAsync(EmulatedHosts.HostsFile());
                return ExitCode.Success;
            }

            var folder = DataFolder.At(parsed.GetValue(data)!).Create();
            var authority = new CertificateAuthority(folder.Keys, TimeProvider.System);
            authority.Authority().Dispose();
            if (parsed.GetValue(print)) await Console.Out.WriteAsync(await File.ReadAllTextAsync(authority.AuthorityFile, cancellationToken));
            else if (parsed.GetValue(env)) await Console.Out.WriteAsync(await EnvironmentAsync(folder, authority.AuthorityFile, cancellationToken));
            else return await ChangeStoreAsync(authority, parsed.GetValue(install), cancellationToken);
            return ExitCode.Success;
        }));
        return command;
    }

    // Most of these variables replace what a platform trusts, so they name a bundle that holds the system's certificates besides ours.
    private static async Task<string> EnvironmentAsync(DataFolder folder, string authorityFile, CancellationToken cancellationToken)
    {
        var bundle = Path.Combine(folder.Keys, "ca-bundle.pem");
        var system = SystemBundles.FirstOrDefault(File.Exists);
        var content = await File.ReadAllTextAsync(authorityFile, cancellationToken) + (system is null ? "" : await File.ReadAllTextAsync(system, cancellationToken));
        await File.WriteAllTextAsync(bundle, content, cancellationToken);
        string Quoted(string path) => "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
        return $"""
            # .NET (Linux), OpenSSL, Go
            export SSL_CERT_FILE={Quoted(bundle)}
            # Python: requests, MSAL, azure-identity
            export REQUESTS_CA_BUNDLE={Quoted(bundle)}
            # Node: adds to what it trusts
            export NODE_EXTRA_CA_CERTS={Quoted(authorityFile)}
            # curl
            export CURL_CA_BUNDLE={Quoted(bundle)}

            """;
    }

    private static async Task<int> ChangeStoreAsync(CertificateAuthority authority, bool install, CancellationToken cancellationToken)
    {
        using var certificate = authority.Authority();
        if (OperatingSystem.IsMacOS())
        {
            const string keychain = "/Library/Keychains/System.keychain";
            string[] words = install
                ? ["add-trusted-cert", "-d", "-r", "trustRoot", "-k", keychain, authority.AuthorityFile]
                : ["delete-certificate", "-Z", certificate.Thumbprint, keychain];
            return await RunAsync("security", words, cancellationToken);
        }

        var store = Stores.FirstOrDefault(known => Directory.Exists(known.Folder) && Find(known.Program) is not null);
        if (store.Folder is null)
        {
            throw new InvalidOperationException(
                $"This system keeps its certificates in none of the known places ({string.Join(", ", Stores.Select(known => $"{known.Folder} with {known.Program}"))}). "
                + $"Install {authority.AuthorityFile} by its own means, or use --env.");
        }

        var installed = Path.Combine(store.Folder, $"vedette-{certificate.Thumbprint[..12].ToLowerInvariant()}.crt");
        if (!install && !File.Exists(installed))
        {
            Console.WriteLine($"The certificate is not in {store.Folder}: nothing to remove.");
            return ExitCode.Success;
        }

        try
        {
            if (install)
            {
                File.Copy(authority.AuthorityFile, installed, overwrite: true);

                // Everybody is to read it, whatever the rights of our own file.
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(installed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            }
            else
            {
                File.Delete(installed);
            }
        }
        catch (UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"{store.Folder} can be written by root only: run the command with sudo, or use --env, which needs no rights.");
        }

        var code = await RunAsync(Find(store.Program)!, install ? store.Install : store.Remove, cancellationToken);
        if (code == ExitCode.Success) Console.WriteLine(install ? $"Installed as {installed}. 'vedette trust --remove' takes it back." : $"Removed {installed}.");
        return code;
    }

    // Root's programs are often missing from the path that sudo or a service passes on.
    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Concat(["/usr/local/sbin", "/usr/sbin", "/sbin"]).Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static async Task<int> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)) ?? throw new InvalidOperationException($"{program} did not start.");
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? ExitCode.Success : ExitCode.Failure;
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new InvalidOperationException($"{program} is needed and could not be started: {exception.Message}", exception);
        }
    }
}
