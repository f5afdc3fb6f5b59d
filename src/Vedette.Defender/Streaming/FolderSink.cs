namespace Vedette.Defender.Streaming;

/// <summary>Appends JSON lines to files laid out as in a storage account: a folder a table, a file an hour.</summary>
internal sealed class FolderSink : IExportSink
{
    public ExportKind Kind => ExportKind.Folder;

    public async Task DeliverAsync(DataExport export, string? secret, string table, IReadOnlyList<StreamingRecord> records, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var hour in records.GroupBy(record => StreamedTables.HourPath(export.TenantId, record.Arrived)))
            {
                var path = Path.Combine(export.Target, StreamedTables.Container(table), hour.Key);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
                CutTornLine(file);
                foreach (var record in hour)
                {
                    await file.WriteAsync(record.Json, cancellationToken);
                    file.WriteByte((byte)'\n');
                }

                file.Flush(flushToDisk: true);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ExportException(exception.Message, null, exception);
        }
    }

    // A server that was killed while writing leaves half a line behind; its records come again.
    private static void CutTornLine(FileStream file)
    {
        var end = file.Length;
        while (end > 0)
        {
            file.Position = end - 1;
            if (file.ReadByte() == '\n') break;
            end--;
        }

        if (end != file.Length) file.SetLength(end);
        file.Position = end;
    }
}
