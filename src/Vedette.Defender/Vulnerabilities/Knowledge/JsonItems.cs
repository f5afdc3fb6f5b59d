using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Vedette.Defender.Vulnerabilities.Knowledge;

/// <summary>One value of a large JSON document.</summary>
/// <param name="Name">Its name, when it stands in an object; else empty.</param>
/// <param name="Value">The value; good until the next one is asked for.</param>
internal readonly record struct JsonItem(string Name, JsonElement Value);

/// <summary>
/// Reads the items of a large JSON document one by one: the elements of its outermost array, the members of its outermost object, or documents
/// that follow one another. An array below a given member is entered too. Memory holds one item and a buffer.
/// </summary>
internal static class JsonItems
{
    private const int LargestItem = 64 * 1024 * 1024;
    private static readonly JsonReaderOptions Options = new() { CommentHandling = JsonCommentHandling.Skip, AllowMultipleValues = true, MaxDepth = 64 };

    /// <summary>The items.</summary>
    /// <param name="stream">The document.</param>
    /// <param name="enter">Members of the outermost object whose array's elements are items of their own, with the member's name.</param>
    /// <param name="whole">True when outermost objects are items themselves.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="InvalidDataException">It is not JSON, or an item is larger than 64 MB.</exception>
    public static async IAsyncEnumerable<JsonItem> ReadAsync(
        Stream stream, IReadOnlySet<string> enter, bool whole, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            var (start, end, final) = (0, 0, false);
            var position = new Position(enter, whole);
            var state = new JsonReaderState(Options);
            while (true)
            {
                if (TryNext(buffer.AsSpan(start, end - start), final, position, ref state, out var used, out var item))
                {
                    start += used;
                    if (item is not { } found) yield break;
                    using (found.Document) yield return new JsonItem(found.Name, found.Document.RootElement);
                    continue;
                }

                start += used;
                if (final) throw new InvalidDataException("The JSON document ends in the middle.");
                if (start > 0)
                {
                    buffer.AsSpan(start, end - start).CopyTo(buffer);
                    (end, start) = (end - start, 0);
                }

                if (end == buffer.Length)
                {
                    if (buffer.Length >= LargestItem) throw new InvalidDataException($"A single item is larger than {LargestItem >> 20} MB.");
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.AsSpan(0, end).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }

                var read = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken);
                if (read == 0) final = true;
                end += read;
                if (!position.Begun) start += SkipMark(buffer.AsSpan(start, end - start));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int SkipMark(ReadOnlySpan<byte> text) => text.StartsWith(Encoding.UTF8.Preamble) ? 3 : 0;

    // True with an item, or with none at the end of the document; false when more bytes are needed.
    private static bool TryNext(
        ReadOnlySpan<byte> text, bool final, Position position, ref JsonReaderState state, out int used, out (string Name, JsonDocument Document)? item)
    {
        var reader = new Utf8JsonReader(text, final, state);
        used = 0;
        item = null;
        try
        {
            while (true)
            {
                var before = reader;
                if (!reader.Read()) return Finish(ref reader, final, ref state, out used) && position.Depth == 0;
                position.Begun = true;
                switch (reader.TokenType)
                {
                    case JsonTokenType.EndArray or JsonTokenType.EndObject:
                        position.Depth--;
                        position.Name = "";
                        break;
                    case JsonTokenType.PropertyName:
                        position.Name = reader.GetString()!;
                        break;
                    case JsonTokenType.StartArray or JsonTokenType.StartObject when position.Enters(reader.TokenType):
                        position.Depth++;
                        break;
                    default:
                        if (!JsonDocument.TryParseValue(ref reader, out var document))
                        {
                            // The reader stands somewhere inside the value: begin it again with more bytes.
                            reader = before;
                            Finish(ref reader, final, ref state, out used);
                            return false;
                        }

                        item = (position.Name, document);
                        Finish(ref reader, final, ref state, out used);
                        return true;
                }
            }
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"It is not JSON: {error.Message}", error);
        }
    }

    private static bool Finish(ref Utf8JsonReader reader, bool final, ref JsonReaderState state, out int used)
    {
        used = (int)reader.BytesConsumed;
        state = reader.CurrentState;
        return final;
    }

    /// <summary>Where the reading stands.</summary>
    private sealed class Position(IReadOnlySet<string> enter, bool whole)
    {
        private bool _outermostIsArray;

        public int Depth { get; set; }

        public string Name { get; set; } = "";

        public bool Begun { get; set; }

        // The outermost container is entered, and in an outermost object those arrays that hold the items.
        public bool Enters(JsonTokenType token)
        {
            if (Depth == 0)
            {
                if (whole && token == JsonTokenType.StartObject) return false;
                _outermostIsArray = token == JsonTokenType.StartArray;
                return true;
            }

            return Depth == 1 && !_outermostIsArray && token == JsonTokenType.StartArray && enter.Contains(Name);
        }
    }
}
