CREATE TABLE account (
	id INTEGER NOT NULL,
	account_name VARCHAR(100) NOT NULL,
	uuid VARCHAR(40),
	type INTEGER DEFAULT '0' NOT NULL,
	role_id BIGINT,
	domain_id BIGINT DEFAULT '1' NOT NULL,
	state VARCHAR(10) DEFAULT 'enabled' NOT NULL,
	removed DATETIME,
	cleanup_needed BOOLEAN DEFAULT 0 NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT uc_account__account_name UNIQUE (account_name),
	CONSTRAINT uc_account__uuid UNIQUE (uuid)
);

CREATE TABLE account_details (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	name VARCHAR(255) NOT NULL,
	value VARCHAR(255) NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT fk_account_details__account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	PRIMARY KEY (version_num)
);

CREATE TABLE alert (
	id INTEGER NOT NULL,
	uuid VARCHAR(40),
	type INTEGER NOT NULL,
	name VARCHAR(255),
	cluster_id BIGINT,
	pod_id BIGINT,
	data_center_id BIGINT DEFAULT '1' NOT NULL,
	subject VARCHAR(999),
	content TEXT,
	sent_count INTEGER DEFAULT '0' NOT NULL,
	created DATETIME,
	last_sent DATETIME,
	resolved DATETIME,
	archived BOOLEAN DEFAULT 0 NOT NULL,
	PRIMARY KEY (id)
);

CREATE TABLE async_job (
	id INTEGER NOT NULL,
	uuid VARCHAR(80) NOT NULL,
	user_id BIGINT DEFAULT '1' NOT NULL,
	account_id BIGINT DEFAULT '1' NOT NULL,
	job_cmd VARCHAR(255) NOT NULL,
	job_cmd_info TEXT,
	job_status INTEGER DEFAULT '0' NOT NULL,
	job_result_code INTEGER DEFAULT '0' NOT NULL,
	job_result TEXT,
	instance_type VARCHAR(64),
	instance_id BIGINT,
	job_init_msid BIGINT,
	job_complete_msid BIGINT,
	job_executing_msid BIGINT,
	created DATETIME,
	last_updated DATETIME,
	removed DATETIME,
	phase VARCHAR(16),
	cursor INTEGER DEFAULT '0' NOT NULL,
	facts TEXT,
	version INTEGER DEFAULT '0' NOT NULL,
	fence INTEGER DEFAULT '0' NOT NULL,
	leased_until_ms BIGINT DEFAULT '0' NOT NULL,
	instance_volume VARCHAR(40),
	instance_snapshot VARCHAR(40),
	instance_template VARCHAR(40),
	not_before DATETIME,
	cancelled DATETIME,
	error TEXT,
	error_kind VARCHAR(64),
	PRIMARY KEY (id),
	CONSTRAINT uc_async_job__uuid UNIQUE (uuid)
);

CREATE TABLE backup_manifest (
	id INTEGER NOT NULL,
	snapshot_id INTEGER NOT NULL,
	chunk_bytes BIGINT NOT NULL,
	digests TEXT NOT NULL,
	verified DATETIME,
	damage TEXT,
	PRIMARY KEY (id),
	CONSTRAINT uc_backup_manifest__snapshot_id UNIQUE (snapshot_id),
	CONSTRAINT fk_backup_manifest__snapshot_id FOREIGN KEY(snapshot_id) REFERENCES snapshots (id)
);

CREATE TABLE domain (
	id INTEGER NOT NULL,
	parent BIGINT,
	name VARCHAR(255),
	uuid VARCHAR(40),
	owner BIGINT DEFAULT '2' NOT NULL,
	path VARCHAR(255),
	level INTEGER DEFAULT '0' NOT NULL,
	state VARCHAR(32) DEFAULT 'Active' NOT NULL,
	removed DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_domain__uuid UNIQUE (uuid)
);

CREATE TABLE event (
	id INTEGER NOT NULL,
	uuid VARCHAR(40),
	type VARCHAR(32) NOT NULL,
	state VARCHAR(32) DEFAULT 'Completed' NOT NULL,
	description VARCHAR(1024) NOT NULL,
	user_id BIGINT DEFAULT '1' NOT NULL,
	account_id BIGINT NOT NULL,
	domain_id BIGINT DEFAULT '1' NOT NULL,
	created DATETIME NOT NULL,
	level VARCHAR(16) NOT NULL,
	start_id BIGINT DEFAULT '0' NOT NULL,
	parameters VARCHAR(1024),
	archived BOOLEAN DEFAULT 0 NOT NULL,
	display BOOLEAN DEFAULT 1 NOT NULL,
	PRIMARY KEY (id)
);

CREATE INDEX i_account_details__account_id ON account_details (account_id);

CREATE INDEX i_async_job__instance_snapshot ON async_job (instance_snapshot);

CREATE INDEX i_async_job__instance_volume ON async_job (instance_volume);

CREATE INDEX i_async_job__phase ON async_job (phase);

CREATE INDEX i_domain__path ON domain (path);

CREATE INDEX i_event__account_id ON event (account_id);

CREATE INDEX i_outbox__created ON outbox (created);

CREATE INDEX i_resource_limit__account_id ON resource_limit (account_id);

CREATE INDEX i_resource_tags__resource_uuid ON resource_tags (resource_uuid);

CREATE INDEX i_snapshot_details__snapshot_id ON snapshot_details (snapshot_id);

CREATE INDEX i_snapshot_policy__volume_id ON snapshot_policy (volume_id);

CREATE INDEX i_snapshot_store_ref__snapshot_id ON snapshot_store_ref (snapshot_id);

CREATE INDEX i_snapshots__account_id ON snapshots (account_id);

CREATE INDEX i_snapshots__volume_id ON snapshots (volume_id);

CREATE INDEX i_template_store_ref__template_id ON template_store_ref (template_id);

CREATE INDEX i_usage_event__created ON usage_event (created);

CREATE INDEX i_usage_storage__source_uuid ON usage_storage (source_uuid);

CREATE INDEX i_user__account_id ON user (account_id);

CREATE INDEX i_vm_template__account_id ON vm_template (account_id);

CREATE INDEX i_volume_details__volume_id ON volume_details (volume_id);

CREATE INDEX i_volumes__account_id ON volumes (account_id);

CREATE TABLE image_store (
	id INTEGER NOT NULL,
	uuid VARCHAR(255) NOT NULL,
	name VARCHAR(255) NOT NULL,
	image_provider_name VARCHAR(255) DEFAULT 'NFS' NOT NULL,
	protocol VARCHAR(255) DEFAULT 'nfs' NOT NULL,
	url VARCHAR(255),
	data_center_id BIGINT DEFAULT '1',
	scope VARCHAR(255) DEFAULT 'ZONE',
	role VARCHAR(255) DEFAULT 'Image',
	created DATETIME,
	removed DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_image_store__uuid UNIQUE (uuid)
);

CREATE TABLE outbox (
	id INTEGER NOT NULL,
	topic VARCHAR(16) NOT NULL,
	message TEXT NOT NULL,
	created DATETIME,
	PRIMARY KEY (id)
);

CREATE TABLE project_account (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	account_role VARCHAR(255) DEFAULT 'Regular' NOT NULL,
	project_id INTEGER NOT NULL,
	project_account_id BIGINT NOT NULL,
	created DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_project_account__account_project UNIQUE (account_id, project_id),
	CONSTRAINT fk_project_account__account_id FOREIGN KEY(account_id) REFERENCES account (id),
	CONSTRAINT fk_project_account__project_id FOREIGN KEY(project_id) REFERENCES projects (id)
);

CREATE TABLE projects (
	id INTEGER NOT NULL,
	name VARCHAR(255),
	uuid VARCHAR(40),
	display_text VARCHAR(255),
	project_account_id INTEGER NOT NULL,
	domain_id BIGINT DEFAULT '1' NOT NULL,
	state VARCHAR(255) DEFAULT 'Active' NOT NULL,
	created DATETIME,
	removed DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_projects__project_account_id UNIQUE (project_account_id),
	CONSTRAINT uc_projects__uuid UNIQUE (uuid),
	CONSTRAINT fk_projects__project_account_id FOREIGN KEY(project_account_id) REFERENCES account (id)
);

CREATE TABLE resource_count (
	id INTEGER NOT NULL,
	account_id INTEGER,
	domain_id BIGINT,
	type VARCHAR(255),
	count BIGINT DEFAULT '0' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT uc_resource_count__type_account UNIQUE (type, account_id),
	CONSTRAINT fk_resource_count__account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE resource_limit (
	id INTEGER NOT NULL,
	domain_id BIGINT,
	account_id INTEGER,
	type VARCHAR(255),
	max BIGINT DEFAULT '-1' NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT fk_resource_limit__account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE resource_tags (
	id INTEGER NOT NULL,
	uuid VARCHAR(40),
	"key" VARCHAR(255) NOT NULL,
	value VARCHAR(255),
	resource_id BIGINT DEFAULT '0' NOT NULL,
	resource_uuid VARCHAR(40),
	resource_type VARCHAR(255),
	domain_id BIGINT DEFAULT '1' NOT NULL,
	account_id BIGINT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT uc_resource_tags__uuid UNIQUE (uuid)
);

CREATE TABLE roles (
	id INTEGER NOT NULL,
	uuid VARCHAR(255),
	name VARCHAR(255) NOT NULL,
	role_type VARCHAR(255) NOT NULL,
	description VARCHAR(255),
	removed DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_roles__name UNIQUE (name),
	CONSTRAINT uc_roles__uuid UNIQUE (uuid)
);

CREATE TABLE snapshot_details (
	id INTEGER NOT NULL,
	snapshot_id INTEGER NOT NULL,
	name VARCHAR(255) NOT NULL,
	value VARCHAR(255) NOT NULL,
	display BOOLEAN DEFAULT 1 NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT fk_snapshot_details__snapshot_id FOREIGN KEY(snapshot_id) REFERENCES snapshots (id)
);

CREATE TABLE snapshot_policy (
	id INTEGER NOT NULL,
	uuid VARCHAR(40) NOT NULL,
	volume_id INTEGER NOT NULL,
	schedule VARCHAR(100) NOT NULL,
	timezone VARCHAR(100) NOT NULL,
	interval INTEGER DEFAULT '4' NOT NULL,
	max_snaps INTEGER DEFAULT '0' NOT NULL,
	active BOOLEAN DEFAULT 1 NOT NULL,
	display BOOLEAN DEFAULT 1 NOT NULL,
	location_type VARCHAR(32),
	PRIMARY KEY (id),
	CONSTRAINT uc_snapshot_policy__uuid UNIQUE (uuid),
	CONSTRAINT ck_snapshot_policy__location_type CHECK (location_type IN ('PRIMARY', 'SECONDARY')),
	CONSTRAINT fk_snapshot_policy__volume_id FOREIGN KEY(volume_id) REFERENCES volumes (id)
);

CREATE TABLE snapshot_schedule (
	id INTEGER NOT NULL,
	uuid VARCHAR(40) NOT NULL,
	volume_id INTEGER NOT NULL,
	policy_id INTEGER NOT NULL,
	scheduled_timestamp DATETIME NOT NULL,
	async_job_id BIGINT,
	snapshot_id BIGINT,
	PRIMARY KEY (id),
	CONSTRAINT uc_snapshot_schedule__uuid UNIQUE (uuid),
	CONSTRAINT uc_snapshot_schedule__volume_policy UNIQUE (volume_id, policy_id),
	CONSTRAINT fk_snapshot_schedule__volume_id FOREIGN KEY(volume_id) REFERENCES volumes (id),
	CONSTRAINT fk_snapshot_schedule__policy_id FOREIGN KEY(policy_id) REFERENCES snapshot_policy (id)
);

CREATE TABLE snapshot_store_ref (
	id INTEGER NOT NULL,
	store_id BIGINT DEFAULT '1' NOT NULL,
	store_role VARCHAR(16) NOT NULL,
	snapshot_id INTEGER NOT NULL,
	volume_id BIGINT,
	parent_snapshot_id BIGINT DEFAULT '0',
	install_path VARCHAR(255),
	size BIGINT,
	physical_size BIGINT DEFAULT '0',
	digest VARCHAR(80),
	state VARCHAR(32) NOT NULL,
	update_count BIGINT DEFAULT '0' NOT NULL,
	ref_cnt BIGINT DEFAULT '0' NOT NULL,
	job_id VARCHAR(255),
	created DATETIME,
	updated DATETIME,
	last_updated DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_snapshot_store_ref__place UNIQUE (snapshot_id, store_role, store_id),
	CONSTRAINT ck_snapshot_store_ref__store_role CHECK (store_role IN ('Primary', 'Image', 'ImageCache')),
	CONSTRAINT ck_snapshot_store_ref__state CHECK (state IN ('Allocated', 'Creating', 'Ready', 'Copying', 'Destroying', 'Destroyed', 'Failed')),
	CONSTRAINT fk_snapshot_store_ref__snapshot_id FOREIGN KEY(snapshot_id) REFERENCES snapshots (id)
);

CREATE TABLE snapshots (
	id INTEGER NOT NULL,
	data_center_id BIGINT DEFAULT '1' NOT NULL,
	account_id INTEGER NOT NULL,
	domain_id BIGINT DEFAULT '1' NOT NULL,
	volume_id INTEGER NOT NULL,
	disk_offering_id BIGINT DEFAULT '1' NOT NULL,
	status VARCHAR(32) NOT NULL,
	path VARCHAR(255),
	name VARCHAR(255) NOT NULL,
	uuid VARCHAR(40) NOT NULL,
	snapshot_type INTEGER DEFAULT '0' NOT NULL,
	type_description VARCHAR(25) DEFAULT 'MANUAL',
	size BIGINT NOT NULL,
	created DATETIME,
	removed DATETIME,
	backup_snap_id VARCHAR(255),
	prev_snap_id BIGINT,
	hypervisor_type VARCHAR(32) DEFAULT 'XenServer' NOT NULL,
	version VARCHAR(32) DEFAULT '2.2',
	min_iops BIGINT,
	max_iops BIGINT,
	location_type VARCHAR(32),
	policy_uuid VARCHAR(40),
	PRIMARY KEY (id),
	CONSTRAINT uc_snapshots__uuid UNIQUE (uuid),
	CONSTRAINT ck_snapshots__status CHECK (status IN ('Allocated', 'Creating', 'CreatedOnPrimary', 'BackingUp', 'BackedUp', 'Copying', 'Destroying', 'Destroyed', 'Error')),
	CONSTRAINT ck_snapshots__location_type CHECK (location_type IN ('PRIMARY', 'SECONDARY')),
	CONSTRAINT fk_snapshots__account_id FOREIGN KEY(account_id) REFERENCES account (id),
	CONSTRAINT fk_snapshots__volume_id FOREIGN KEY(volume_id) REFERENCES volumes (id)
);

CREATE TABLE storage_leak (
	id INTEGER NOT NULL,
	job_id INTEGER NOT NULL,
	reason TEXT NOT NULL,
	created DATETIME NOT NULL,
	cleared DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_storage_leak__job_id UNIQUE (job_id),
	CONSTRAINT fk_storage_leak__job_id FOREIGN KEY(job_id) REFERENCES async_job (id)
);

CREATE TABLE storage_pool (
	id INTEGER NOT NULL,
	name VARCHAR(255),
	uuid VARCHAR(255),
	pool_type VARCHAR(32) NOT NULL,
	capacity_bytes BIGINT,
	used_bytes BIGINT,
	capacity_iops BIGINT,
	storage_provider_name VARCHAR(255),
	managed BOOLEAN DEFAULT 0 NOT NULL,
	removed DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_storage_pool__uuid UNIQUE (uuid)
);

CREATE TABLE template_store_ref (
	id INTEGER NOT NULL,
	store_id BIGINT DEFAULT '1' NOT NULL,
	template_id INTEGER NOT NULL,
	created DATETIME NOT NULL,
	size BIGINT,
	store_role VARCHAR(255) DEFAULT 'Image',
	physical_size BIGINT DEFAULT '0',
	download_state VARCHAR(255) DEFAULT 'DOWNLOADED',
	install_path VARCHAR(255),
	digest VARCHAR(80),
	state VARCHAR(255) DEFAULT 'Ready' NOT NULL,
	destroyed BOOLEAN DEFAULT 0,
	PRIMARY KEY (id),
	CONSTRAINT fk_template_store_ref__template_id FOREIGN KEY(template_id) REFERENCES vm_template (id)
);

CREATE TABLE usage_event (
	id INTEGER NOT NULL,
	type VARCHAR(32) NOT NULL,
	account_id BIGINT NOT NULL,
	created DATETIME NOT NULL,
	zone_id BIGINT DEFAULT '1' NOT NULL,
	resource_id BIGINT,
	resource_name VARCHAR(255),
	offering_id BIGINT,
	template_id BIGINT,
	size BIGINT,
	virtual_size BIGINT,
	resource_type VARCHAR(32),
	processed BOOLEAN DEFAULT 0 NOT NULL,
	PRIMARY KEY (id)
);

CREATE TABLE usage_storage (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	source_uuid VARCHAR(40) NOT NULL,
	location_type VARCHAR(32) NOT NULL,
	size BIGINT NOT NULL,
	created DATETIME NOT NULL,
	deleted DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT ck_usage_storage__location_type CHECK (location_type IN ('PRIMARY', 'SECONDARY')),
	CONSTRAINT fk_usage_storage__account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE user (
	id INTEGER NOT NULL,
	uuid VARCHAR(40),
	username VARCHAR(255) NOT NULL,
	password VARCHAR(255) DEFAULT '' NOT NULL,
	account_id INTEGER NOT NULL,
	firstname VARCHAR(255),
	lastname VARCHAR(255),
	email VARCHAR(255),
	state VARCHAR(10) DEFAULT 'enabled' NOT NULL,
	api_key VARCHAR(255),
	created DATETIME,
	removed DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_user__api_key UNIQUE (api_key),
	CONSTRAINT uc_user__uuid UNIQUE (uuid),
	CONSTRAINT fk_user__account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE vm_template (
	id INTEGER NOT NULL,
	unique_name VARCHAR(255) NOT NULL,
	name VARCHAR(255) NOT NULL,
	uuid VARCHAR(40) NOT NULL,
	public BOOLEAN DEFAULT 0 NOT NULL,
	featured BOOLEAN DEFAULT 0 NOT NULL,
	type VARCHAR(32) DEFAULT 'USER',
	hvm BOOLEAN DEFAULT 1 NOT NULL,
	bits INTEGER DEFAULT '64' NOT NULL,
	format VARCHAR(32) DEFAULT 'VHD' NOT NULL,
	created DATETIME NOT NULL,
	removed DATETIME,
	account_id INTEGER NOT NULL,
	guest_os_id BIGINT DEFAULT '1' NOT NULL,
	hypervisor_type VARCHAR(32) DEFAULT 'XenServer',
	size BIGINT,
	state VARCHAR(255) DEFAULT 'Active',
	PRIMARY KEY (id),
	CONSTRAINT uc_vm_template__uuid UNIQUE (uuid),
	CONSTRAINT fk_vm_template__account_id FOREIGN KEY(account_id) REFERENCES account (id)
);

CREATE TABLE volume_details (
	id INTEGER NOT NULL,
	volume_id INTEGER NOT NULL,
	name VARCHAR(255) NOT NULL,
	value VARCHAR(1024) NOT NULL,
	display BOOLEAN DEFAULT 1 NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT fk_volume_details__volume_id FOREIGN KEY(volume_id) REFERENCES volumes (id)
);

CREATE TABLE volumes (
	id INTEGER NOT NULL,
	account_id INTEGER NOT NULL,
	domain_id BIGINT DEFAULT '1' NOT NULL,
	data_center_id BIGINT DEFAULT '1' NOT NULL,
	pool_id INTEGER,
	name VARCHAR(255),
	uuid VARCHAR(40) NOT NULL,
	size BIGINT,
	folder VARCHAR(255),
	path VARCHAR(255),
	pool_type VARCHAR(64),
	iscsi_name VARCHAR(255),
	hv_ss_reserve BIGINT,
	min_iops BIGINT,
	max_iops BIGINT,
	burst_iops BIGINT,
	state VARCHAR(32) DEFAULT 'Ready',
	created DATETIME,
	removed DATETIME,
	PRIMARY KEY (id),
	CONSTRAINT uc_volumes__uuid UNIQUE (uuid),
	CONSTRAINT fk_volumes__account_id FOREIGN KEY(account_id) REFERENCES account (id),
	CONSTRAINT fk_volumes__pool_id FOREIGN KEY(pool_id) REFERENCES storage_pool (id)
)
