using Vedette.Defender.Vulnerabilities.Inventory;

namespace Vedette.Defender.Demo.Office;

/// <summary>
/// The exposure graph: devices, people, groups, software, addresses, applications and cloud resources as nodes, and who can reach, use or contain what as
/// edges. Devices and software are those of the inventory.
/// </summary>
internal sealed class DemoExposure(DemoOffice office, DemoSheet sheet)
{
    private readonly Dictionary<string, (string Id, string Label, string Name, string[] Categories)> _nodes = new(StringComparer.Ordinal);
    private readonly List<(string From, string To, string Label, object Properties)> _edges = [];

    public void Write()
    {
        foreach (var user in office.World.Users) User(user);
        foreach (var department in office.World.Facts.Organisation.Departments)
        {
            Node("group/" + department.Name, "group", department.Name, ["group", "identity"], new { displayName = department.Name }, [("AadObjectId", sheet.Id("group/" + department.Name))]);
            foreach (var user in office.World.Users.Where(user => user.Department == department.Name)) Edge("user/" + user.Account.Name, "group/" + department.Name, "member of");
        }

        foreach (var device in office.World.Devices) Device(device);
        foreach (var app in office.Facts.OAuthApps) Application(app);
        Cloud();
    }

    private void User(DemoUser user)
    {
        var admin = user.Department == "IT";
        Node(
            "user/" + user.Account.Name, "user", user.Account.Upn, ["user", "identity"],
            new
            {
                rawData = new
                {
                    accountName = user.Account.Name, accountDomain = office.World.Facts.Organisation.Domain, accountUpn = user.Account.Upn, aadObjectId = user.Account.ObjectId, sid = user.Account.Sid, department = user.Department,
                    criticalityLevel = new { criticalityLevel = admin ? 0 : user.Department == "Management" ? 1 : 3, ruleNames = admin ? new[] { "Privileged user" } : [] }, isActive = true, hasAdLeakedCredentials = user == office.Intrusion.Victim,
                },
            },
            [("AadObjectId", $"tenantid={office.World.TenantId};objectid={user.Account.ObjectId}"), ("SecurityIdentifier", user.Account.Sid)]);
        if (admin) Edge("user/" + user.Account.Name, Role(), "has role on");
    }

    private string Role()
    {
        Node("role/security-administrator", "entra-role", "Security Administrator", ["identity_role"], new { rawData = new { isPrivileged = true } }, [("AadObjectId", "194ae4cb-b126-40b2-bd5b-6091b380977d")]);
        return "role/security-administrator";
    }

    private void Device(DemoDevice device)
    {
        var name = "device/" + device.ShortName;
        var inventory = SimulatedInventory.Report(DemoInventory.Simulated(device, office.End), office.End).Software ?? [];
        var vulnerable = inventory.Any(item => item.Name.Contains("log4j", StringComparison.OrdinalIgnoreCase));
        Node(
            name, "device", device.DnsName, ["compute", "device", device.Has("server") || device.Has("linux") ? "virtual_machine" : "workstation"],
            new
            {
                rawData = new
                {
                    deviceName = device.DnsName, osPlatform = device.System.Platform, osVersion = device.System.Version, deviceCategory = device.System.Category, deviceType = device.System.Type, onboardingStatus = "Onboarded", sensorHealthState = "Active",
                    exposureScore = device.Has("web") ? "High" : device.Index % 3 == 0 ? "Medium" : "Low", isInternetFacing = device.Has("web"), publicIP = office.World.PublicIp, lastSeen = office.End,
                    isCustomerFacing = device.Has("web"), criticalityLevel = new { criticalityLevel = device.Has("dc") ? 0 : device.Has("server") ? 1 : 3, ruleNames = device.Has("dc") ? new[] { "Domain controller" } : [] },
                    highRiskVulnerabilityInsights = new { hasHighOrCritical = vulnerable, vulnerableToRemoteCodeExecution = vulnerable },
                    vulnerableToRemoteCodeExecution = new { type = "vulnerableToRemoteCodeExecution", explanation = new { CveList = vulnerable ? new[] { "CVE-2021-44228" } : [] } },
                },
            },
            [("DeviceInventoryId", device.Id), ("SenseDeviceId", device.Id), ("MicrosoftEntraDeviceId", device.AadId.ToString())]);
        Node("address/" + device.Ip, "ip-address", device.Ip, ["ip_address"], new { rawData = new { ipAddress = device.Ip } }, [("IpAddress", device.Ip)]);
        Edge(name, "address/" + device.Ip, "has ip address");
        foreach (var item in inventory)
        {
            var software = $"software/{item.Vendor}/{item.Name}";
            Node(software, "software", item.Name, ["software"], new { rawData = new { vendor = item.Vendor, productName = item.Name } }, [("SoftwareId", $"{item.Vendor}-_-{item.Name}")]);
            Edge(name, software, "runs on", new { version = item.Version }, reverse: true);
        }

        if (vulnerable)
        {
            Node("cve/CVE-2021-44228", "Cve", "CVE-2021-44228", ["vulnerability"], new { rawData = new { cveId = "CVE-2021-44228", cvssScore = 10.0, severity = "Critical", isExploitAvailable = true } }, [("CveId", "CVE-2021-44228")]);
            Edge("cve/CVE-2021-44228", name, "affecting");
        }

        if (device.User is { } user)
        {
            Edge(name, "user/" + user.Account.Name, "has credentials of");
            Edge("user/" + user.Account.Name, name, "can authenticate to");
            if (user.Department == "IT") Edge("user/" + user.Account.Name, "device/srv-dc01", "can authenticate as admin to");
        }

        if (!device.Has("dc")) Edge(name, "device/srv-dc01", "can authenticate to");
        if (device.Has("app")) Edge(name, device.IsWindows ? "device/srv-sql01" : "device/lnx-db01", "routes traffic to");
        if (device.Has("web")) Edge("address/internet", name, "routes traffic to");
    }

    private void Application(OAuthFacts app)
    {
        var name = "app/" + app.Name;
        Node(name, "Microsoft Entra OAuth App", app.Name, ["identity", "service_principal", "oauth_app"], new { rawData = new { appId = sheet.Id("app/" + app.Name), permissions = app.Permissions, privilegeLevel = app.Privilege, isAdminConsented = app.Admin } }, [("AadObjectId", sheet.Id("principal/" + app.Name))]);
        foreach (var user in office.World.Users.Take(app.Users)) Edge("user/" + user.Account.Name, name, "granted access to");
    }

    private void Cloud()
    {
        Node("address/internet", "internet", "Internet", ["ip_address"], new { rawData = new { isPublic = true } }, []);
        Node("cloud/aks", "managedclusters", "alderfinch-aks", ["kubernetes_cluster", "compute"], new { rawData = new { region = "westeurope", isPrivate = false } }, [("AzureResourceId", $"/subscriptions/{sheet.Id("subscription")}/resourceGroups/rg-shop/providers/Microsoft.ContainerService/managedClusters/alderfinch-aks")]);
        Node("cloud/storage", "storageaccounts", "alderfinchreports", ["data_store", "storage"], new { rawData = new { containsSensitiveData = true, exposedToInternet = new { allowsAnonymous = false } } }, [("AzureResourceId", $"/subscriptions/{sheet.Id("subscription")}/resourceGroups/rg-jobs/providers/Microsoft.Storage/storageAccounts/alderfinchreports")]);
        Node("cloud/identity", "managedidentity", "vm-report-identity", ["identity", "managed_identity"], new { rawData = new { type = "UserAssigned" } }, [("AadObjectId", sheet.Id("principal/vm-report-identity"))]);
        Node("cloud/registry", "container-registry", "alderfinch.azurecr.io", ["container_registry"], new { rawData = new { region = "westeurope" } }, []);
        Edge("cloud/identity", "cloud/storage", "has permissions to", new { roles = new[] { "Storage Blob Data Reader" } });
        Edge("cloud/aks", "cloud/registry", "can pull images from");
        Edge("user/" + office.Administrator.Account.Name, "cloud/aks", "has permissions to", new { roles = new[] { "Owner" } });
        foreach (var workload in office.Facts.Workloads)
        {
            var name = "container/" + workload.Pod;
            Node(name, "container", workload.Container, ["container", "compute"], new { rawData = new { image = workload.Image, kubernetesNamespace = workload.Namespace, pod = workload.Pod } }, [("KubernetesPodId", workload.Pod)]);
            Edge("cloud/aks", name, "contains");
        }

        foreach (var edge in _edges) Write(edge);
    }

    private void Node(string key, string label, string name, string[] categories, object properties, (string Type, string Id)[] ids)
    {
        if (!_nodes.TryAdd(key, (sheet.Id("node/" + key), label, name, categories))) return;
        sheet.Add("ExposureGraphNodes", office.End, new
        {
            NodeId = _nodes[key].Id, NodeLabel = label, NodeName = name, Categories = categories, NodeProperties = properties, EntityIds = ids.Select(id => new { type = id.Type, id = id.Id }),
        });
    }

    // Edges may name nodes that come later, so they are written last.
    private void Edge(string from, string to, string label, object? properties = null, bool reverse = false) => _edges.Add((reverse ? to : from, reverse ? from : to, label, properties ?? new { }));

    private void Write((string From, string To, string Label, object Properties) edge)
    {
        var (from, to) = (_nodes[edge.From], _nodes[edge.To]);
        sheet.Add("ExposureGraphEdges", office.End, new
        {
            EdgeId = sheet.Id($"edge/{edge.From}/{edge.Label}/{edge.To}"), EdgeLabel = edge.Label, SourceNodeId = from.Id, SourceNodeName = from.Name, SourceNodeLabel = from.Label, SourceNodeCategories = from.Categories,
            TargetNodeId = to.Id, TargetNodeName = to.Name, TargetNodeLabel = to.Label, TargetNodeCategories = to.Categories, EdgeProperties = new { rawData = edge.Properties },
        });
    }
}
