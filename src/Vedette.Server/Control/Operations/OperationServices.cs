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
        services.AddSingleton<OperationRegistry>();
        return services;
    }
}
