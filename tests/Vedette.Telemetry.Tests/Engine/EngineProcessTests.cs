namespace Vedette.Telemetry.Tests.Engine;

public sealed class EngineProcessTests
{
    [Fact]
    public async Task Tables_are_loaded_when_needed_and_nothing_is_lost_by_it()
    {
        var folder = Directory.CreateTempSubdirectory("vedette-open-").FullName;
        try
        {
            await ProbeProcess.RunAsync("append", folder, "2", "30");
            for (var i = 0; i < 2; i++)
            {
                (await ProbeProcess.RunAsync("open", folder)).ShouldHaveSingleItem().ShouldStartWith("open ");
                (await ProbeProcess.RunAsync("count", folder)).ShouldBe(["DeviceProcessEvents 60 60 2", "DeviceNetworkEvents 60 60 2"]);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task The_room_starts_takes_work_meanwhile_and_stops()
    {
        var folder = Directory.CreateTempSubdirectory("vedette-room-").FullName;
        try
        {
            // The second time the folder exists and the append is a repetition.
            for (var i = 0; i < 2; i++) (await ProbeProcess.RunAsync("room", folder)).ShouldBe(["found 1", "stopped"]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_process_that_forgets_to_close_the_engine_still_ends_well()
    {
        var folder = Directory.CreateTempSubdirectory("vedette-leave-").FullName;
        try
        {
            for (var i = 0; i < 4; i++) (await ProbeProcess.RunAsync("leave", folder)).ShouldBe(["42"]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
