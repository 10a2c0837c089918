-- The tables of CloudStack 4.8 and 4.9, as far as snapshots need them. Written out and never derived from our
-- schema: the upgrade is judged by them. Words in braces are what each database has its own word for.

CREATE TABLE account (
    id {key}, account_name VARCHAR(100), uuid VARCHAR(40) UNIQUE, type INTEGER NOT NULL, role_id {number},
    domain_id {number}, state VARCHAR(10) NOT NULL DEFAULT 'enabled', removed {datetime},
    cleanup_needed {flag} NOT NULL DEFAULT {no}
){end};

CREATE TABLE domain (
    id {key}, parent {number}, name VARCHAR(255), uuid VARCHAR(40) UNIQUE, owner {number} NOT NULL,
    path VARCHAR(255), level INTEGER NOT NULL DEFAULT 0, removed {datetime},
    state VARCHAR(32) NOT NULL DEFAULT 'Active'
){end};

CREATE TABLE roles (
    id {key}, uuid VARCHAR(255) UNIQUE, name VARCHAR(255) UNIQUE, role_type VARCHAR(255) NOT NULL,
    removed {datetime}, description VARCHAR(255)
){end};

CREATE TABLE {quote}user{quote} (
    id {key}, uuid VARCHAR(40) UNIQUE, username VARCHAR(255) NOT NULL, password VARCHAR(255) NOT NULL,
    account_id {number} NOT NULL, firstname VARCHAR(255), lastname VARCHAR(255), email VARCHAR(255),
    state VARCHAR(10) NOT NULL DEFAULT 'enabled', api_key VARCHAR(255),
    created {datetime} NOT NULL, removed {datetime}
){end};

CREATE TABLE projects (
    id {key}, name VARCHAR(255), uuid VARCHAR(40) UNIQUE, display_text VARCHAR(255),
    project_account_id {number} NOT NULL, domain_id {number} NOT NULL, created {datetime}, removed {datetime},
    state VARCHAR(255) NOT NULL
){end};

CREATE TABLE project_account (
    id {key}, account_id {number} NOT NULL, account_role VARCHAR(255) NOT NULL DEFAULT 'Regular',
    project_id {number} NOT NULL, project_account_id {number} NOT NULL, created {datetime}
){end};

CREATE TABLE resource_limit (
    id {key}, domain_id {number}, account_id {number}, type VARCHAR(255), {quote}max{quote} BIGINT NOT NULL DEFAULT -1
){end};

CREATE TABLE account_details (
    id {key}, account_id {number} NOT NULL, name VARCHAR(255) NOT NULL, value VARCHAR(255) NOT NULL
){end};

CREATE TABLE resource_tags (
    id {key}, uuid VARCHAR(40) UNIQUE, {quote}key{quote} VARCHAR(255), value VARCHAR(255),
    resource_id {number} NOT NULL, resource_uuid VARCHAR(40), resource_type VARCHAR(255),
    domain_id {number} NOT NULL, account_id {number} NOT NULL
){end};

CREATE TABLE storage_pool (
    id {key}, name VARCHAR(255), uuid VARCHAR(255) UNIQUE, pool_type VARCHAR(32) NOT NULL,
    capacity_bytes {number}, used_bytes {number}, capacity_iops {number}, storage_provider_name VARCHAR(255),
    managed {flag} NOT NULL DEFAULT {no}, removed {datetime}
){end};

CREATE TABLE volumes (
    id {key}, account_id {number} NOT NULL, domain_id {number} NOT NULL, data_center_id {number} NOT NULL,
    pool_id {number}, name VARCHAR(255), uuid VARCHAR(40) UNIQUE, size {number}, folder VARCHAR(255),
    path VARCHAR(255), pool_type VARCHAR(64), iscsi_name VARCHAR(255), hv_ss_reserve {number},
    min_iops {number}, max_iops {number}, state VARCHAR(32), created {datetime}, removed {datetime}
){end};

CREATE TABLE volume_details (
    id {key}, volume_id {number} NOT NULL, name VARCHAR(255) NOT NULL, value VARCHAR(1024) NOT NULL,
    display {flag} NOT NULL DEFAULT {yes}
){end};

CREATE TABLE snapshots (
    id {key}, data_center_id {number} NOT NULL, account_id {number} NOT NULL, domain_id {number} NOT NULL,
    volume_id {number} NOT NULL, disk_offering_id {number} NOT NULL, status VARCHAR(32), path VARCHAR(255),
    name VARCHAR(255) NOT NULL, uuid VARCHAR(40) UNIQUE, snapshot_type INTEGER NOT NULL,
    type_description VARCHAR(25), size {number} NOT NULL, created {datetime}, removed {datetime},
    backup_snap_id VARCHAR(255), prev_snap_id {number}, hypervisor_type VARCHAR(32) NOT NULL,
    version VARCHAR(32), min_iops {number}, max_iops {number}
){end};

CREATE TABLE snapshot_details (
    id {key}, snapshot_id {number} NOT NULL, name VARCHAR(255) NOT NULL, value VARCHAR(255) NOT NULL,
    display {flag} NOT NULL DEFAULT {yes}
){end};

CREATE TABLE snapshot_store_ref (
    id {key}, store_id {number} NOT NULL, store_role VARCHAR(255), snapshot_id {number} NOT NULL,
    volume_id {number}, parent_snapshot_id {number} DEFAULT 0, install_path VARCHAR(255), size {number},
    physical_size {number} DEFAULT 0, state VARCHAR(255) NOT NULL, update_count {number}, ref_cnt {number},
    job_id VARCHAR(255), created {datetime}, updated {datetime}, last_updated {datetime}
){end};

CREATE TABLE snapshot_policy (
    id {key}, uuid VARCHAR(40) UNIQUE, volume_id {number} NOT NULL, schedule VARCHAR(100) NOT NULL,
    timezone VARCHAR(100) NOT NULL, {quote}interval{quote} INTEGER NOT NULL DEFAULT 4,
    max_snaps INTEGER NOT NULL DEFAULT 0, active {flag} NOT NULL, display {flag} NOT NULL DEFAULT {yes}
){end};

CREATE TABLE snapshot_schedule (
    id {key}, uuid VARCHAR(40) UNIQUE, volume_id {number} NOT NULL, policy_id {number} NOT NULL,
    scheduled_timestamp {datetime} NOT NULL, async_job_id {number}, snapshot_id {number}
){end};

CREATE TABLE resource_count (
    id {key}, account_id {number}, domain_id {number}, type VARCHAR(255), {quote}count{quote} BIGINT NOT NULL DEFAULT 0
){end};

CREATE TABLE async_job (
    id {key}, uuid VARCHAR(40) UNIQUE, user_id {number} NOT NULL, account_id {number} NOT NULL,
    job_cmd VARCHAR(255) NOT NULL, job_cmd_info TEXT, job_status INTEGER NOT NULL,
    job_result_code INTEGER NOT NULL, job_result TEXT, instance_type VARCHAR(64), instance_id {number},
    job_init_msid {number}, job_complete_msid {number}, job_executing_msid {number}, created {datetime},
    last_updated {datetime}, removed {datetime}
){end};

CREATE TABLE event (
    id {key}, uuid VARCHAR(40), type VARCHAR(32) NOT NULL, state VARCHAR(32) NOT NULL,
    description VARCHAR(1024) NOT NULL, user_id {number} NOT NULL, account_id {number} NOT NULL,
    domain_id {number} NOT NULL, created {datetime} NOT NULL, level VARCHAR(16) NOT NULL,
    start_id {number} NOT NULL DEFAULT 0, parameters VARCHAR(1024), archived {flag} NOT NULL DEFAULT {no},
    display {flag} NOT NULL DEFAULT {yes}
){end};

CREATE TABLE alert (
    id {key}, uuid VARCHAR(40), type INTEGER NOT NULL, name VARCHAR(255), cluster_id {number},
    pod_id {number}, data_center_id {number} NOT NULL, subject VARCHAR(999), content TEXT,
    sent_count INTEGER NOT NULL, created {datetime}, last_sent {datetime}, resolved {datetime},
    archived {flag} NOT NULL DEFAULT {no}
){end};

CREATE TABLE usage_event (
    id {key}, type VARCHAR(32) NOT NULL, account_id {number} NOT NULL, created {datetime} NOT NULL,
    zone_id {number} NOT NULL, resource_id {number}, resource_name VARCHAR(255), offering_id {number},
    template_id {number}, size {number}, virtual_size {number}, resource_type VARCHAR(32),
    processed {flag} NOT NULL DEFAULT {no}
){end};

CREATE TABLE image_store (
    id {key}, name VARCHAR(255) NOT NULL, image_provider_name VARCHAR(255) NOT NULL, protocol VARCHAR(255) NOT NULL,
    url VARCHAR(255), data_center_id {number}, scope VARCHAR(255), role VARCHAR(255), uuid VARCHAR(255),
    created {datetime}, removed {datetime}
){end};

CREATE TABLE vm_template (
    id {key}, unique_name VARCHAR(255) NOT NULL, name VARCHAR(255) NOT NULL, uuid VARCHAR(40) UNIQUE,
    public {flag} NOT NULL, featured {flag} NOT NULL, type VARCHAR(32), hvm {flag} NOT NULL, bits INTEGER NOT NULL,
    format VARCHAR(32) NOT NULL, created {datetime} NOT NULL, removed {datetime},
    account_id {number} NOT NULL, guest_os_id {number} NOT NULL, hypervisor_type VARCHAR(32),
    size {number}, state VARCHAR(255)
){end};

CREATE TABLE template_store_ref (
    id {key}, store_id {number} NOT NULL, template_id {number} NOT NULL, created {datetime} NOT NULL,
    size {number}, store_role VARCHAR(255), physical_size {number} DEFAULT 0, download_state VARCHAR(255),
    install_path VARCHAR(255), state VARCHAR(255) NOT NULL, destroyed {flag}
){end};
