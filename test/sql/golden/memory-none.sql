CREATE TABLE __memory (row_hash VARCHAR, business_key VARCHAR, status VARCHAR, own BOOLEAN)
