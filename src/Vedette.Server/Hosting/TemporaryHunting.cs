namespace Vedette.Server.Hosting;
internal sealed class TemporaryHunting : Vedette.Telemetry.Hunting.IHuntingService
{
    public Task<Vedette.Telemetry.Hunting.HuntingResult> RunAsync(Vedette.Telemetry.Hunting.HuntingRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException();
}
