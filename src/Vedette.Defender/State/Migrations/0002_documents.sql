-- What the API answers for an alert and for a machine, kept beside the row by the database itself: lists are read many times for each change,
-- and copying one text is several times cheaper than writing thirty values. Neither can differ from the row it is generated from.
-- The functions are declared immutable because they depend on nothing but their argument: the zone is named and the pattern has no words.
CREATE FUNCTION json_text(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT to_json(value)::text';

CREATE FUNCTION json_texts(value text[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT array_to_json(value)::text';

CREATE FUNCTION json_time(value timestamptz) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT '"' || rtrim(rtrim(to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z"'
$$;

ALTER TABLE alerts ADD COLUMN document text NOT NULL GENERATED ALWAYS AS (
    '{"id":' || json_text(id)
    || ',"incidentId":' || coalesce(incident_id::text, 'null')
    || ',"investigationId":' || coalesce(investigation_id::text, 'null')
    || ',"assignedTo":' || coalesce(json_text(assigned_to), 'null')
    || ',"severity":' || json_text(severity)
    || ',"status":' || json_text(status)
    || ',"classification":' || coalesce(json_text(classification), 'null')
    || ',"determination":' || coalesce(json_text(determination), 'null')
    || ',"investigationState":' || coalesce(json_text(investigation_state), 'null')
    || ',"detectionSource":' || json_text(detection_source)
    || ',"detectorId":' || coalesce(json_text(detector_id::text), 'null')
    || ',"category":' || json_text(category)
    || ',"threatFamilyName":' || coalesce(json_text(threat_family_name), 'null')
    || ',"title":' || json_text(title)
    || ',"description":' || json_text(description)
    || ',"alertCreationTime":' || json_time(alert_creation_time)
    || ',"firstEventTime":' || json_time(first_event_time)
    || ',"lastEventTime":' || json_time(last_event_time)
    || ',"lastUpdateTime":' || json_time(last_update_time)
    || ',"resolvedTime":' || coalesce(json_time(resolved_time), 'null')
    || ',"machineId":' || coalesce(json_text(machine_id), 'null')
    || ',"computerDnsName":' || coalesce(json_text(computer_dns_name), 'null')
    || ',"rbacGroupName":' || coalesce(json_text(rbac_group_name), 'null')
    || ',"aadTenantId":' || json_text(tenant_id::text)
    || ',"threatName":' || coalesce(json_text(threat_name), 'null')
    || ',"mitreTechniques":' || json_texts(mitre_techniques)
    || ',"relatedUser":' || coalesce(related_user::text, 'null')
    || ',"loggedOnUsers":' || logged_on_users::text
    || ',"comments":' || comments::text
    || ',"evidence":[]'
    || ',"domains":[]'
    || '}') STORED;

ALTER TABLE machines ADD COLUMN document text NOT NULL GENERATED ALWAYS AS (
    '{"id":' || json_text(id)
    || ',"mergedIntoMachineId":' || coalesce(json_text(merged_into_machine_id), 'null')
    || ',"isPotentialDuplication":' || CASE WHEN is_potential_duplication THEN 'true' ELSE 'false' END
    || ',"isExcluded":' || CASE WHEN is_excluded THEN 'true' ELSE 'false' END
    || ',"exclusionReason":' || coalesce(json_text(exclusion_reason), 'null')
    || ',"computerDnsName":' || coalesce(json_text(computer_dns_name), 'null')
    || ',"firstSeen":' || json_time(first_seen)
    || ',"lastSeen":' || json_time(last_seen)
    || ',"osPlatform":' || json_text(os_platform)
    || ',"osVersion":' || coalesce(json_text(os_version), 'null')
    || ',"osProcessor":' || json_text(os_processor)
    || ',"version":' || json_text(version)
    || ',"lastIpAddress":' || coalesce(json_text(last_ip_address), 'null')
    || ',"lastExternalIpAddress":' || coalesce(json_text(last_external_ip_address), 'null')
    || ',"agentVersion":' || coalesce(json_text(agent_version), 'null')
    || ',"osBuild":' || coalesce(os_build::text, 'null')
    || ',"healthStatus":' || json_text(health_status)
    || ',"deviceValue":' || json_text(device_value)
    || ',"rbacGroupId":' || rbac_group_id::text
    || ',"rbacGroupName":' || coalesce(json_text(rbac_group_name), 'null')
    || ',"riskScore":' || json_text(risk_score)
    || ',"exposureLevel":' || json_text(exposure_level)
    || ',"isAadJoined":' || CASE WHEN is_aad_joined THEN 'true' WHEN NOT is_aad_joined THEN 'false' ELSE 'null' END
    || ',"aadDeviceId":' || coalesce(json_text(aad_device_id::text), 'null')
    || ',"machineTags":' || json_texts(machine_tags)
    || ',"defenderAvStatus":' || json_text(defender_av_status)
    || ',"onboardingStatus":' || json_text(onboarding_status)
    || ',"osArchitecture":' || json_text(os_architecture)
    || ',"managedBy":' || json_text(managed_by)
    || ',"managedByStatus":' || json_text(managed_by_status)
    || ',"ipAddresses":' || ip_addresses::text
    || ',"vmMetadata":' || coalesce(vm_metadata::text, 'null')
    || '}') STORED;

-- A row with its document passes the size from which values are moved aside; reading them back would cost more than the document saves.
ALTER TABLE alerts SET (toast_tuple_target = 8160);
ALTER TABLE machines SET (toast_tuple_target = 8160);
