namespace Vedette.Defender.Demo.Office;

/// <summary>The organisation's AI agents, as their inventory shows them each week.</summary>
internal sealed class DemoAgents(DemoOffice office, DemoSheet sheet)
{
    public void Write()
    {
        foreach (var day in office.Days().Where((_, index) => index % 10 == 5))
            for (var index = 0; index < office.Facts.Agents.Length; index++) Agent(office.Facts.Agents[index], office.World.Users[(index * 13 + 4) % office.World.Users.Count], day.AddHours(5));
    }

    private void Agent(AgentFacts agent, DemoUser owner, DateTime time)
    {
        var (id, created) = (sheet.Id("ai/" + agent.Name), office.Since("ai/" + agent.Name));
        var tools = agent.Tools.Select(tool => new { Name = tool, Type = tool.Contains("pull", StringComparison.Ordinal) ? "McpServer" : "Connector", Authentication = agent.Authentication }).ToArray();
        var sources = agent.Sources.Select(source => new { Name = source, Type = source.Contains("sharepoint", StringComparison.Ordinal) ? "SharePoint" : "PublicWebsite" }).ToArray();
        sheet.Add("AgentsInfo", time, new
        {
            AgentId = id, AgentName = agent.Name, agent.Platform, AgentDescription = agent.Description, Version = "3", SourceAgentId = id[..18], EntraAgentId = sheet.Id("principal/" + agent.Name), EntraBlueprintId = sheet.Id("blueprint/" + agent.Platform),
            ToolsAuthenticationType = agent.Tools.ToDictionary(tool => tool, _ => agent.Authentication), Permissions = new[] { "User.Read", "Sites.Read.All" }, PublishedStatus = agent.Status == "Published" ? "Published" : "Draft", LifecycleStatus = "Active",
            Availability = agent.Access == "Any" ? "Everyone" : "Some", CreatedDateTime = created, LastPublishedDateTime = created.AddDays(9), LastUpdatedDateTime = created.AddDays(12),
            Owners = new[] { new { owner.DisplayName, UserPrincipalName = owner.Account.Upn, owner.Account.ObjectId } }, SharedWith = new[] { "Everybody" }, InstanceCount = 1, Instructions = agent.Description + " Be brief. Never show personal data.",
            agent.Model, Channels = new[] { "Teams", "Microsoft 365 Copilot" }, Capabilities = new[] { "KnowledgeRetrieval", "ToolUse" }, DeclaredDataSources = sources, DeclaredTools = tools,
            McpServers = tools.Where(tool => tool.Type == "McpServer").Select(tool => new { tool.Name, Url = "https://mcp.codecrew.example" }), Skills = Array.Empty<string>(), ConnectedAgents = Array.Empty<string>(), Memory = new { Enabled = false },
            Triggers = new[] { new { Type = "Message" } }, Guardrails = new { ContentModeration = "High" }, Endpoints = new[] { "https://alderfinch.api.powerplatform.com/agents/" + id }, ObservabilityId = new { TraceId = id[..8] }, RawAgentInfo = new { schemaVersion = "1.0", agent.Name },
        });
        if (agent.Platform != "Copilot Studio") return;
        sheet.Add("AIAgentsInfo", time, new
        {
            AIAgentId = id, AIAgentName = agent.Name, AgentCreationTime = created, CreatorAccountUpn = owner.Account.Upn, OwnerAccountUpns = owner.Account.Upn, LastModifiedByUpn = owner.Account.Upn, LastModifiedTime = created.AddDays(12),
            LastPublishedTime = created.AddDays(9), LastPublishedByUpn = owner.Account.Upn, AgentDescription = agent.Description, AgentStatus = agent.Status, UserAuthenticationType = agent.Authentication, AgentUsers = "Everybody",
            KnowledgeDetails = DemoSheet.ToJson(sources), AgentActionTriggers = DemoSheet.ToJson(new[] { "OnMessage" }), RawAgentInfo = DemoSheet.ToJson(new { schemaVersion = "1.0", agent.Name }), AuthenticationTrigger = agent.Authentication == "None" ? "As Needed" : "Always",
            AccessControlPolicy = agent.Access, AuthorizedSecurityGroupIds = agent.Access == "Group membership" ? new[] { sheet.Id("team/Logistics") } : [], AgentTopicsDetails = new[] { new { Name = "Greeting", Trigger = "OnConversationStart" } },
            AgentToolsDetails = tools, EnvironmentId = sheet.Id("environment/default"), agent.Platform,
        });
    }
}
