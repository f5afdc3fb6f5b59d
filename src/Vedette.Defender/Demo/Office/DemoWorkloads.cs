using System.Globalization;

namespace Vedette.Defender.Demo.Office;

/// <summary>The shop's containers, the reports' storage and the cloud subscription, over the last week.</summary>
internal sealed class DemoWorkloads(DemoOffice office, DemoSheet sheet)
{
    private const string Region = "westeurope";

    private string Subscription => sheet.Id("subscription");

    private string Cluster => $"/subscriptions/{Subscription}/resourceGroups/rg-shop/providers/Microsoft.ContainerService/managedClusters/alderfinch-aks";

    private string Storage => $"/subscriptions/{Subscription}/resourceGroups/rg-jobs/providers/Microsoft.Storage/storageAccounts/alderfinchreports";

    public void Write()
    {
        foreach (var day in office.Days(7))
        {
            foreach (var workload in office.Facts.Workloads) Containers(workload, day);
            Policies(day);
            Aggregates(day);
            Audit(day);
        }
    }

    private static string Digest(string name) => "sha256:" + DemoHashes.Of("image/" + name).Sha256;

    private void Containers(WorkloadFacts workload, DateTime day)
    {
        var pod = $"{workload.Pod}-{DemoHashes.Of(workload.Pod + day.Day / 3).Sha1[..9]}-{DemoHashes.Of(workload.Pod).Sha1[..5]}";
        var (container, resource) = (DemoHashes.Of(pod).Sha256, $"Deployment/{workload.Pod}");
        for (var number = 0; number < 10; number++)
        {
            var time = day.AddHours(number * 2.3).AddSeconds(sheet.Random.Next(3000));
            var command = workload.Processes[number % workload.Processes.Length];
            var program = command.Split(' ')[0].TrimEnd(':').Split('/')[^1];
            sheet.Add("CloudProcessEvents", time, new
            {
                AzureResourceId = Cluster, AwsResourceName = "", GcpFullResourceName = "", ContainerImageName = workload.Image + ":2.14", KubernetesNamespace = workload.Namespace, KubernetesPodName = pod, KubernetesResource = resource,
                ContainerName = workload.Container, ContainerId = container, ActionType = "ProcessCreated", FileName = program, FolderPath = "/usr/bin/" + program, ProcessId = 20L + number * 3, ProcessName = program, ParentProcessName = "containerd-shim",
                ParentProcessId = "1", ProcessCommandLine = command, ProcessCreationTime = time.AddMilliseconds(-4), ProcessCurrentWorkingDirectory = "/app", AccountName = workload.Namespace == "kube-system" ? "root" : "app", LogonId = 0L,
                InitiatingProcessId = "1", ImageDigest = Digest(workload.Image), AgentId = sheet.Id("agent/" + workload.Namespace), Region, HostName = "aks-shop-30412000-vmss000001", AdditionalFields = "{\"CgroupVersion\":\"2\"}",
            });
            var (name, response) = (sheet.Pick(workload.Names), sheet.Chance(0.5));
            sheet.Add("CloudDnsEvents", time.AddSeconds(2), new
            {
                ActionType = response ? "DnsResponse" : "DnsRequest", AzureResourceId = Cluster, AwsResourceName = "", GcpFullResourceName = "", KubernetesResource = resource, KubernetesNamespace = workload.Namespace, KubernetesPodName = pod,
                ContainerName = workload.Container, ContainerId = container, ImageName = workload.Image + ":2.14", ProcessName = program, ProcessId = 20L + number * 3, DnsEventType = "query", DnsEventSubType = response ? "response" : "request",
                DnsQuery = name, DnsQueryTypeName = "A", DnsResponseCodeName = response ? "NOERROR" : "", DnsNetworkDuration = response ? 900L + sheet.Random.Next(4000) : 0L, TransactionIdHex = sheet.Random.Next(65536).ToString("x4", CultureInfo.InvariantCulture),
                ImageDigest = Digest(workload.Image), Region, HostName = "aks-shop-30412000-vmss000001", AdditionalFields = new { DnsAnswers = response ? new[] { "10.0.14.7" } : [] },
            });
        }
    }

    private void Policies(DateTime day)
    {
        (string Kind, string Name, string Action, string Reason)[] decisions =
        [
            ("Pod", "report", "Allow", "All images are signed."), ("Deployment", "storefront", "Audit", "The container may run as root."), ("Pod", "debug-shell", "Deny", "The image comes from a registry that is not trusted."),
        ];
        foreach (var (kind, name, action, reason) in decisions)
        {
            if (action == "Deny" && day.Day % 3 != 0) continue;
            sheet.Add("CloudPolicyEnforcementEvents", day.AddHours(9 + name.Length * 0.3), new
            {
                DataSource = "Azure Kubernetes Service", SubscriptionId = Subscription, ActionType = action, AzureResourceId = Cluster, AwsResourceName = "", GcpFullResourceName = "", Region, ResourceKind = kind, ResourceName = name,
                KubernetesNamespace = "shop", Reason = reason, AdditionalFields = DemoSheet.ToJson(new { Policy = "Trusted images", Rule = reason }),
            });
        }
    }

    private void Aggregates(DateTime day)
    {
        for (var hour = 0; hour < 24; hour += 4)
        {
            var start = day.AddHours(hour);
            var (reads, anonymous) = (sheet.Random.Next(20, 400), hour == 12 && day.Day % 4 == 0);
            sheet.Add("CloudStorageAggregatedEvents", start.AddHours(1), new
            {
                DataAggregationStartTime = start, DataAggregationEndTime = start.AddHours(1), DataSource = "Azure", SubscriptionId = Subscription, ResourceGroup = "rg-jobs", StorageAccount = "alderfinchreports", StorageContainer = "daily",
                StorageFileShare = "", ServiceType = "Blob", IpAddress = anonymous ? "185.220.101.33" : office.AddressAt("ireland", null, sheet.Random), UserAgentHeader = anonymous ? "curl/8.5.0" : "azsdk-python-storage-blob/12.23.1",
                OperationNamesList = new[] { "GetBlob", "ListBlobs" }, AuthenticationType = anonymous ? "Anonymous" : "Oauth", AccountObjectId = anonymous ? "" : sheet.Id("principal/vm-report-identity"), AccountApplicationId = anonymous ? "" : sheet.Id("app/vm-report-identity"),
                AccountUpn = "", AccountType = anonymous ? 0L : 2L, OperationsCount = reads, SuccessfulOperationsCount = anonymous ? 0 : reads, FailedOperationsCount = anonymous ? reads : 0, TotalResponseLength = reads * 3200,
                SuccessfulReadOperations = anonymous ? 0 : reads, DistinctGetOperations = reads / 3, AnonymousSuccessfulOperations = 0, HasAnonymousResourceNotFoundFailures = anonymous, Md5Hashes = new[] { DemoHashes.Of("report/" + day.Day).Md5 },
                AzureResourceId = Storage, Location = Region, ActionType = "StorageAggregatedOperations", AdditionalFields = new { TlsVersion = "TLS 1.3" },
            });
        }
    }

    private void Audit(DateTime day)
    {
        var admin = office.Administrator;
        (string Action, string Operation, string Resource, bool Person)[] operations =
        [
            ("Read", "Microsoft.Storage/storageAccounts/listKeys/action", Storage, true), ("Update", "Microsoft.ContainerService/managedClusters/write", Cluster, false), ("Create", "Microsoft.Resources/deployments/write", $"/subscriptions/{Subscription}/resourceGroups/rg-shop", false),
            ("Delete", "Microsoft.Compute/snapshots/delete", $"/subscriptions/{Subscription}/resourceGroups/rg-jobs/providers/Microsoft.Compute/snapshots/vm-report", true), ("Other", "create pods/exec", Cluster, true),
        ];
        foreach (var (action, operation, resource, person) in operations)
        {
            var time = DemoOffice.WorkTime(day, sheet.Random);
            if (person && DemoOffice.IsWeekend(day)) continue;
            var place = office.Places[person ? "office" : "builder"];
            sheet.Add("CloudAuditEvents", time, new
            {
                DataSource = operation.StartsWith("create", StringComparison.Ordinal) ? "Kubernetes Audit" : "Azure", ActionType = action, OperationName = operation, ResourceId = resource, IPAddress = office.AddressAt(person ? "office" : "builder", admin, sheet.Random),
                IsAnonymousProxy = false, CountryCode = place.Country, place.City, place.Isp, UserAgent = person ? "Mozilla/5.0 (Windows NT 10.0; Win64; x64)" : "terraform/1.9.8",
                RawEventData = new { caller = person ? admin.Account.Upn : sheet.Id("app/Build deployment"), claims = new { oid = person ? admin.Account.ObjectId : sheet.Id("principal/Build deployment"), tid = office.World.TenantId }, operationName = operation, resultType = "Success" },
                AdditionalFields = new { SubscriptionId = Subscription, CorrelationId = sheet.Id(string.Create(CultureInfo.InvariantCulture, $"audit/{time.Ticks}")) },
            });
        }
    }
}
