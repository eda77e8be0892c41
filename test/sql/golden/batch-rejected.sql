CREATE TABLE __rejected (rid BIGINT, issues STRUCT(code VARCHAR, detail VARCHAR)[], status VARCHAR, own BOOLEAN)
