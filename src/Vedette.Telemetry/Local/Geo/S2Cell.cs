using System.Globalization;

namespace Vedette.Telemetry.Local.Geo;

/// <summary>A cell of the S2 grid: the faces of a cube on the sphere, halved both ways again and again along a Hilbert curve.</summary>
internal readonly record struct S2Cell(ulong Id)
{
    private const int MaxLevel = 30;
    private const int MaxSize = 1 << MaxLevel;
    private static readonly int[] PositionToOrder = [1, 0, 0, 3];
    private static readonly int[][] PositionToIj = [[0, 1, 3, 2], [0, 2, 3, 1], [3, 2, 0, 1], [3, 1, 0, 2]];

    public int Level => MaxLevel - (System.Numerics.BitOperations.TrailingZeroCount(Id) / 2);

    public string Token => Id.ToString("x16", CultureInfo.InvariantCulture).TrimEnd('0') is { Length: > 0 } token ? token : "X";

    public GeoVector Center
    {
        get
        {
            var (face, i, j, size) = Square();
            return Point(face, StToUv((i + (size / 2d)) / MaxSize), StToUv((j + (size / 2d)) / MaxSize)).Unit();
        }
    }

    public IEnumerable<GeoVector> Corners
    {
        get
        {
            var (face, i, j, size) = Square();
            var (u0, u1) = (StToUv((double)i / MaxSize), StToUv((double)(i + size) / MaxSize));
            var (v0, v1) = (StToUv((double)j / MaxSize), StToUv((double)(j + size) / MaxSize));
            return [Point(face, u0, v0).Unit(), Point(face, u1, v0).Unit(), Point(face, u1, v1).Unit(), Point(face, u0, v1).Unit()];
        }
    }

    public static S2Cell? Parse(string token)
    {
        if (token.Length is 0 or > 16 || !ulong.TryParse(token.PadRight(16, '0'), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id))
            return null;
        var lowest = id & (~id + 1);
        return id >> 61 <= 5 && (lowest & 0x1555555555555555UL) != 0 ? new S2Cell(id) : null;
    }

    public static S2Cell Of(GeoVector p, int level)
    {
        var (face, u, v) = Project(p);
        return FromIj(face, StToIj(UvToSt(u)), StToIj(UvToSt(v))).Parent(level);
    }

    /// <summary>The eight cells around this one, in the service's order.</summary>
    public IEnumerable<S2Cell> Neighbours()
    {
        var (face, i, j, size) = Square();
        var level = Level;
        var found = new List<S2Cell>();
        foreach (var (di, dj) in new[] { (1, 1), (-1, -1), (1, -1), (0, -1), (0, 1), (1, 0), (-1, 0), (-1, 1) })
        {
            // A place beyond the face's border is projected onto the neighbouring face.
            var u = StToUvLinear((i + (size / 2d) + (di * (double)size)) / MaxSize);
            var v = StToUvLinear((j + (size / 2d) + (dj * (double)size)) / MaxSize);
            var cell = Of(Point(face, u, v).Unit(), level);
            if (cell != this && !found.Contains(cell))
                found.Add(cell);
        }

        return found;
    }

    /// <summary>The six cells of level 0.</summary>
    public static IEnumerable<S2Cell> Faces => Enumerable.Range(0, 6).Select(face => new S2Cell(((ulong)face << 61) | (1UL << 60)));

    /// <summary>The four cells of the next level.</summary>
    public IEnumerable<S2Cell> Children
    {
        get
        {
            var (id, lowest) = (Id, Id & (~Id + 1));
            return Enumerable.Range(0, 4).Select(k => new S2Cell(id - lowest + (lowest >> 2) + ((ulong)k * (lowest >> 1))));
        }
    }

    /// <summary>Whether a point lies in the cell.</summary>
    public bool Contains(GeoVector p) => Of(p, Level) == this;

    private S2Cell Parent(int level)
    {
        var lowest = 1UL << (2 * (MaxLevel - level));
        return new S2Cell((Id & (~lowest + 1)) | lowest);
    }

    private (int Face, int I, int J, int Size) Square()
    {
        var face = (int)(Id >> 61);
        int orientation = face & 1, i = 0, j = 0;
        for (var k = MaxLevel - 1; k >= 0; k--)
        {
            var position = (int)(Id >> ((2 * k) + 1)) & 3;
            var ij = PositionToIj[orientation][position];
            i = (i << 1) | (ij >> 1);
            j = (j << 1) | (ij & 1);
            orientation ^= PositionToOrder[position];
        }

        var size = 1 << (MaxLevel - Level);
        return (face, i & -size, j & -size, size);
    }

    private static S2Cell FromIj(int face, int i, int j)
    {
        var id = (ulong)face;
        var orientation = face & 1;
        for (var k = MaxLevel - 1; k >= 0; k--)
        {
            var ij = (((i >> k) & 1) << 1) | ((j >> k) & 1);
            var position = Array.IndexOf(PositionToIj[orientation], ij);
            id = (id << 2) | (uint)position;
            orientation ^= PositionToOrder[position];
        }

        return new S2Cell((id << 1) | 1);
    }

    private static int StToIj(double s) => (int)Math.Clamp(Math.Floor(s * MaxSize), 0, MaxSize - 1);

    private static double StToUv(double s) => s >= 0.5 ? ((4 * s * s) - 1) / 3 : (1 - (4 * (1 - s) * (1 - s))) / 3;

    private static double StToUvLinear(double s) => s is >= 0 and <= 1 ? StToUv(s) : s > 1 ? 1 + ((s - 1) * 8 / 3) : -1 + (s * 8 / 3);

    private static double UvToSt(double u) => u >= 0 ? 0.5 * Math.Sqrt(1 + (3 * u)) : 1 - (0.5 * Math.Sqrt(1 - (3 * u)));

    private static (int Face, double U, double V) Project(GeoVector p)
    {
        var (x, y, z) = (Math.Abs(p.X), Math.Abs(p.Y), Math.Abs(p.Z));
        var axis = x > y ? x > z ? 0 : 2 : y > z ? 1 : 2;
        var face = axis + ((axis == 0 ? p.X : axis == 1 ? p.Y : p.Z) < 0 ? 3 : 0);
        return face switch
        {
            0 => (0, p.Y / p.X, p.Z / p.X),
            1 => (1, -p.X / p.Y, p.Z / p.Y),
            2 => (2, -p.X / p.Z, -p.Y / p.Z),
            3 => (3, p.Z / p.X, p.Y / p.X),
            4 => (4, p.Z / p.Y, -p.X / p.Y),
            _ => (5, -p.Y / p.Z, -p.X / p.Z),
        };
    }

    private static GeoVector Point(int face, double u, double v) => face switch
    {
        0 => new(1, u, v),
        1 => new(-u, 1, v),
        2 => new(-u, -v, 1),
        3 => new(-1, -v, -u),
        4 => new(v, -1, -u),
        _ => new(v, u, -1),
    };
}
