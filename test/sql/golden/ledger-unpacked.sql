SELECT * FROM read_parquet(['out/listed.parquet'])
