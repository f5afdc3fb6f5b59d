namespace Vedette.Defender.Vulnerabilities.Knowledge;

/// <summary>Feeds of knowledge, and how far each is believed: a higher one overwrites what a lower one said, never the reverse.</summary>
public enum KnowledgeSource
{
    /// <summary>Exploit Prediction Scoring System, CSV.</summary>
    Epss,

    /// <summary>CISA's catalogue of known exploited vulnerabilities, JSON.</summary>
    Kev,

    /// <summary>The knowledge that comes with the demo organisation.</summary>
    Demo,

    /// <summary>Debian's security tracker, JSON.</summary>
    Debian,

    /// <summary>Open Source Vulnerabilities, JSON.</summary>
    Osv,

    /// <summary>The National Vulnerability Database, CVE JSON 2.0.</summary>
    Nvd,
}
