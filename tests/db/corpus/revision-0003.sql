BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE attempt (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	campaign INTEGER NOT NULL, 
	facts INTEGER, 
	target VARCHAR(255) NOT NULL, 
	test VARCHAR(255) NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	evidence JSON NOT NULL, 
	exit_status INTEGER, 
	signal INTEGER, 
	error_number INTEGER, 
	nonce VARCHAR(64) NOT NULL, 
	isolation VARCHAR(16) NOT NULL, 
	started_at DATETIME NOT NULL, 
	duration_s DOUBLE NOT NULL, 
	boot_s DOUBLE, 
	CONSTRAINT fk_attempt_campaign FOREIGN KEY(campaign) REFERENCES campaign (number) ON DELETE CASCADE, 
	CONSTRAINT fk_attempt_facts FOREIGN KEY(facts) REFERENCES target_facts (id) ON DELETE SET NULL
);
INSERT INTO "attempt" VALUES(1,1,1,'aarch64','fork_test','hang','["no output for 5 s"]',NULL,NULL,NULL,'n0nce','boot','2026-11-02 12:00:00.000000',1.25,NULL);
INSERT INTO "attempt" VALUES(2,1,1,'aarch64','dup_test','pass','["the test said so"]',NULL,NULL,NULL,'n0nce','boot','2026-11-02 12:01:00.000000',1.25,NULL);
CREATE TABLE boot_failure (
	id INTEGER NOT NULL, 
	campaign INTEGER NOT NULL, 
	target VARCHAR(255) NOT NULL, 
	started_at DATETIME NOT NULL, 
	duration_s DOUBLE NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_boot_failure PRIMARY KEY (id), 
	CONSTRAINT fk_boot_failure_campaign FOREIGN KEY(campaign) REFERENCES campaign (number) ON DELETE CASCADE
);
INSERT INTO "boot_failure" VALUES(1,1,'aarch64','2026-11-02 12:02:00.000000',20.0,'no prompt within 20 s');
CREATE TABLE campaign (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	identity VARCHAR(32) NOT NULL, 
	kernel TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	isolation VARCHAR(16) NOT NULL, 
	arguments JSON NOT NULL, 
	timeout_s DOUBLE, 
	planned INTEGER NOT NULL, 
	revision_commit VARCHAR(64), 
	revision_described TEXT, 
	revision_dirty BOOLEAN, seed BIGINT, stop_rule VARCHAR(16) DEFAULT 'never' NOT NULL, endless BOOLEAN DEFAULT 0 NOT NULL, 
	CONSTRAINT uq_campaign_identity UNIQUE (identity)
);
INSERT INTO "campaign" VALUES(1,'0a45a741059b4b4f8afbb49964e0cd84','duet','finished','2026-11-02 12:00:00.000000','2026-11-02 12:03:00.000000','boot','["run"]',NULL,2,'c0ffee0000000000000000000000000000000000','c0ffee0',0,7,'fail-fast',0);
CREATE TABLE hang (
	id INTEGER NOT NULL, 
	attempt INTEGER, 
	boot_failure INTEGER, 
	folder TEXT NOT NULL, 
	cause VARCHAR(64) NOT NULL, 
	confidence VARCHAR(16) NOT NULL, 
	sentence TEXT NOT NULL, 
	evidence JSON NOT NULL, 
	subject TEXT NOT NULL, 
	signature VARCHAR(255) NOT NULL, 
	frames JSON NOT NULL, 
	runners_up JSON NOT NULL, 
	missing JSON NOT NULL, 
	pause_s DOUBLE NOT NULL, 
	took_s DOUBLE NOT NULL, 
	CONSTRAINT pk_hang PRIMARY KEY (id), 
	CONSTRAINT ck_hang_ck_hang_one_owner CHECK ((attempt IS NULL) <> (boot_failure IS NULL)), 
	CONSTRAINT fk_hang_attempt FOREIGN KEY(attempt) REFERENCES attempt (id) ON DELETE CASCADE, 
	CONSTRAINT fk_hang_boot_failure FOREIGN KEY(boot_failure) REFERENCES boot_failure (id) ON DELETE CASCADE
);
INSERT INTO "hang" VALUES(1,1,NULL,'captures/1','lock-leaked','medium','CPU 1 spins on root_lock, which nobody holds','["CPU 1: pc 0x40081234 in root_fs+0x14"]','root_lock','lock-leaked | root_lock','["root_fs", "sys_open"]','[]','[]',0.07,2.5);
CREATE TABLE log (
	id INTEGER NOT NULL, 
	attempt INTEGER, 
	boot_failure INTEGER, 
	kind VARCHAR(16) NOT NULL, 
	port VARCHAR(255) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	CONSTRAINT pk_log PRIMARY KEY (id), 
	CONSTRAINT ck_log_ck_log_one_owner CHECK ((attempt IS NULL) <> (boot_failure IS NULL)), 
	CONSTRAINT fk_log_attempt FOREIGN KEY(attempt) REFERENCES attempt (id) ON DELETE CASCADE, 
	CONSTRAINT fk_log_boot_failure FOREIGN KEY(boot_failure) REFERENCES boot_failure (id) ON DELETE CASCADE
);
INSERT INTO "log" VALUES(1,1,NULL,'transcript','console','7013b87d31a41a3aac7d1401316368b8a0733ef39e8b80963cf3cefa59aaf6f9',6);
INSERT INTO "log" VALUES(2,NULL,1,'raw','console','200a6a8e9f645f4c21498359d44bcd4fb382ce9a413a42726097862124e1dbe6',9);
CREATE TABLE planned_case (
	campaign INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	target VARCHAR(255) NOT NULL, 
	test VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_planned_case PRIMARY KEY (campaign, position), 
	CONSTRAINT fk_planned_case_campaign FOREIGN KEY(campaign) REFERENCES campaign (number) ON DELETE CASCADE
);
INSERT INTO "planned_case" VALUES(1,0,'aarch64','fork_test');
INSERT INTO "planned_case" VALUES(1,1,'aarch64','dup_test');
CREATE TABLE target_facts (
	id INTEGER NOT NULL, 
	campaign INTEGER NOT NULL, 
	target VARCHAR(255) NOT NULL, 
	arch VARCHAR(32) NOT NULL, 
	qemu_version TEXT NOT NULL, 
	accelerator VARCHAR(32) NOT NULL, 
	command_line TEXT NOT NULL, 
	image_sha256 VARCHAR(64) NOT NULL, 
	inputs_sha256 VARCHAR(64), 
	build_id VARCHAR(128), 
	CONSTRAINT pk_target_facts PRIMARY KEY (id), 
	CONSTRAINT fk_target_facts_campaign FOREIGN KEY(campaign) REFERENCES campaign (number) ON DELETE CASCADE
);
INSERT INTO "target_facts" VALUES(1,1,'aarch64','aarch64','QEMU emulator version 9.2.0','tcg','qemu-system-aarch64 -display none -kernel kernel/build/aarch64/duet.elf','abababababababababababababababababababababababababababababababab',NULL,'1234abcd');
CREATE INDEX ix_campaign_started_at ON campaign (started_at);
CREATE INDEX ix_boot_failure_campaign ON boot_failure (campaign);
CREATE INDEX ix_target_facts_campaign_target ON target_facts (campaign, target);
CREATE INDEX ix_attempt_by_campaign ON attempt (campaign, target, test, started_at, id);
CREATE INDEX ix_attempt_by_test ON attempt (test, target, started_at, id);
CREATE INDEX ix_attempt_facts ON attempt (facts);
CREATE INDEX ix_log_attempt ON log (attempt);
CREATE INDEX ix_log_boot_failure ON log (boot_failure);
CREATE INDEX ix_log_sha256 ON log (sha256);
CREATE UNIQUE INDEX ix_hang_attempt ON hang (attempt);
CREATE UNIQUE INDEX ix_hang_boot_failure ON hang (boot_failure);
CREATE INDEX ix_hang_signature ON hang (signature);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('campaign',1);
INSERT INTO "sqlite_sequence" VALUES('attempt',2);
COMMIT;
