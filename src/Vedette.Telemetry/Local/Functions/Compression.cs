using System.Buffers.Binary;
using System.IO.Compression;

namespace Vedette.Telemetry.Local.Functions;

/// <summary>
/// The gzip and zlib containers as the language writes them: what packing does not make smaller is stored as it is, and headers name neither a level nor a
/// system.
/// </summary>
internal static class Compression
{
    private const int MaxStored = ushort.MaxValue;

    /// <summary>RFC 1950.</summary>
    public static byte[] Zlib(byte[] data)
    {
        var (a, b) = (1u, 0u);
        foreach (var value in data)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }

        var sum = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(sum, (b << 16) | a);
        return [0x78, 0x01, .. Pack(data), .. sum];
    }

    /// <summary>RFC 1952.</summary>
    public static byte[] Gzip(byte[] data)
    {
        var trailer = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, Crc32(data));
        BinaryPrimitives.WriteUInt32LittleEndian(trailer.AsSpan(4), (uint)data.Length);
        return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, .. Pack(data), .. trailer];
    }

    private static byte[] Pack(byte[] data)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(data);
        if (packed.Length + 1 < data.Length)
            return packed.ToArray();
        using var stored = new MemoryStream();
        Span<byte> lengths = stackalloc byte[4];
        var at = 0;
        do
        {
            var size = Math.Min(MaxStored, data.Length - at);
            stored.WriteByte((byte)(at + size == data.Length ? 1 : 0));
            BinaryPrimitives.WriteUInt16LittleEndian(lengths, (ushort)size);
            BinaryPrimitives.WriteUInt16LittleEndian(lengths[2..], (ushort)~size);
            stored.Write(lengths);
            stored.Write(data, at, size);
            at += size;
        }
        while (at < data.Length);
        return stored.ToArray();
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ (0xEDB88320 & (0 - (crc & 1)));
        }

        return ~crc;
    }
}
