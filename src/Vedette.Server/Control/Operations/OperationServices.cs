namespace Vedette.Server.Control.Operations;

/// <summary>The list of operations.</summary>
internal static class OperationServices
{
    public static IServiceCollection AddOperations(this IServiceCollection services)
    {
        services.AddSingleton<IOperation, CreateApplication>();
        services.AddSingleton<IOperation, GrantPermissions>();
        services.AddSingleton<IOperation, ConsentApplication>();
        services.AddSingleton<IOperation, AddSecret>();
        services.AddSingleton<IOperation, ListApplications>();
        services.AddSingleton<IOperation, ShowApplication>();
        services.AddSingleton<IOperation, DeleteApplication>();
        services.AddSingleton<IOperation, CreateUser>();
        services.AddSingleton<IOperation, ListUsers>();
        services.AddSingleton<IOperation, ShowUser>();
        services.AddSingleton<IOperation, SetUserRole>();
        services.AddSingleton<IOperation, ResetUserPassword>();
        services.AddSingleton<IOperation, EnableUser>();
        services.AddSingleton<IOperation, DeleteUser>();
        services.AddSingleton<IOperation, CreateGroup>();
        services.AddSingleton<IOperation, ListGroups>();
        services.AddSingleton<IOperation, ShowGroup>();
        services.AddSingleton<IOperation, AddGroupMember>();
        services.AddSingleton<IOperation, RemoveGroupMember>();
        services.AddSingleton<IOperation, DeleteGroup>();
        services.AddSingleton<IOperation, CreateRole>();
        services.AddSingleton<IOperation, ListRoles>();
        services.AddSingleton<IOperation, SetRole>();
        services.AddSingleton<IOperation, AssignRole>();
        services.AddSingleton<IOperation, DeleteRole>();
        services.AddSingleton<IOperation, ListPermissions>();
        services.AddSingleton<IOperation, ListDirectoryRoles>();
        services.AddSingleton<IOperation, CreateDeviceGroup>();
        services.AddSingleton<IOperation, ListDeviceGroups>();
        services.AddSingleton<IOperation, AllowDeviceGroup>();
        services.AddSingleton<IOperation, MoveDevices>();
        services.AddSingleton<IOperation, CreateTenant>();
        services.AddSingleton<IOperation, ListTenants>();
        services.AddSingleton<IOperation, ShowTenant>();
        services.AddSingleton<IOperation, SetTenantDomain>();
        services.AddSingleton<IOperation, SetTenantMfa>();
        services.AddSingleton<IOperation, TokenOperation>();
        services.AddSingleton<IOperation, StatusOperation>();
        services.AddSingleton<IOperation, ImportOperation>();
        services.AddSingleton<IOperation, HuntOperation>();
        services.AddSingleton<IOperation, HuntBatchOperation>();
        services.AddSingleton<IOperation, ListRules>();
        services.AddSingleton<IOperation, RunRules>();
        services.AddSingleton<IOperation, ResetData>();
        services.AddSingleton<IOperation, SeedData>();
        services.AddSingleton<IOperation, GenerateData>();
        services.AddSingleton<IOperation, ListSnapshots>();
        services.AddSingleton<IOperation, TakeSnapshot>();
        services.AddSingleton<IOperation, RestoreSnapshot>();
        services.AddSingleton<IOperation, DeleteSnapshot>();
        services.AddSingleton<IOperation, SetActionTiming>();
        services.AddSingleton<IOperation, ShowClock>();
        services.AddSingleton<IOperation, SetClock>();
        services.AddSingleton<IOperation, ListFaults>();
        services.AddSingleton<IOperation, AddFault>();
        services.AddSingleton<IOperation, RemoveFaults>();
        services.AddSingleton<IOperation, ShowQuotas>();
        services.AddSingleton<IOperation, SetQuotas>();
        services.AddSingleton<IOperation, ListRequests>();
        services.AddSingleton<IOperation, ClearRequests>();
        services.AddSingleton<IOperation, ReportPermissions>();
        services.AddSingleton<IOperation, InspectToken>();
        services.AddSingleton<IOperation, WhyRefused>();
        services.AddSingleton<IOperation, ReadAudit>();
        services.AddSingleton<IOperation, ListCertificates>();
        services.AddSingleton<IOperation, RotateSigningKey>();
        services.AddSingleton<IOperation, ShowSignIn>();
        services.AddSingleton<IOperation, SetSignIn>();
        services.AddSingleton<IOperation, ForgetAuthenticator>();
        services.AddSingleton<IOperation, AddExport>();
        services.AddSingleton<IOperation, ListExports>();
        services.AddSingleton<IOperation, RemoveExport>();
        services.AddSingleton<IOperation, EnableExport>();
        services.AddSingleton<IOperation, ImportKnowledge>();
        services.AddSingleton<IOperation, KnowledgeStatusOperation>();
        services.AddSingleton<IOperation, RefreshAssessment>();
        services.AddSingleton<OperationRegistry>();
        return services;
    }
}
