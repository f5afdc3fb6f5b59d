using System.Globalization;
using Vedette.Server.Control;

namespace Vedette.Server.Cli;

/// <summary>
/// Progress on standard error: one line that is redrawn on a terminal; on anything else a line each time the text changes, so that logs of
/// unattended runs stay short.
/// </summary>
internal sealed class ProgressLine : IProgress<OperationProgress>, IDisposable
{
    private const int BarWidth = 28;
    private static readonly TimeSpan RedrawEvery = TimeSpan.FromMilliseconds(80);

    private readonly bool _terminal = !Console.IsErrorRedirected;
    private readonly Lock _lock = new();
    private string _text = "";
    private bool _drawn;
    private long _last;

    public void Report(OperationProgress value)
    {
        lock (_lock)
        {
            if (!_terminal)
            {
                if (value.Text != _text) Console.Error.WriteLine(value.Text);
                _text = value.Text;
                return;
            }

            if (value.Text == _text && value.Done != value.Total && TimeProvider.System.GetElapsedTime(_last) < RedrawEvery) return;
            _last = TimeProvider.System.GetTimestamp();
            _text = value.Text;
            _drawn = true;
            Console.Error.Write("\r\u001b[2K" + Line(value));
        }
    }

    /// <summary>Removes the line, so that results start on a clean one.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            if (_drawn) Console.Error.Write("\r\u001b[2K");
            _drawn = false;
        }
    }

    public void Dispose() => Clear();

    private static string Line(OperationProgress value)
    {
        var done = value.Done.ToString("N0", CultureInfo.InvariantCulture);
        if (value.Total is not > 0) return value.Done > 0 ? $"{value.Text}  {done}" : value.Text;
        var share = Math.Clamp((double)value.Done / value.Total.Value, 0, 1);
        var full = (int)(share * BarWidth);
        return $"[{new string('█', full)}{new string('░', BarWidth - full)}] {share,4:P0}  {value.Text}";
    }
}
