namespace Vedette.Server.Hosting;
internal sealed class TemporaryHunting : Vedette.Telemetry.Hunting.IHuntingService
{
    public Task<Vedette.Telemetry.Hunting.HuntingResult> RunAsync(Vedette.Telemetry.Hunting.HuntingRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException();
}
internal static class DemoOrganisation { public static Task EnsureAsync(IServiceProvider s, Guid t, IProgress<Vedette.Server.Control.OperationProgress> p, CancellationToken c) => Task.CompletedTask; }
