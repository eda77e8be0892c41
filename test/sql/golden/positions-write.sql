COPY (SELECT file_path, pos FROM __gone WHERE __bucket = 3 ORDER BY file_path, pos) TO 'out/o''3.parquet' (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {"file_path": 7}, RETURN_STATS)
