SELECT s.file_path AS file, count(DISTINCT e.line) AS records
FROM "__rejects_probe" e JOIN "__scans_probe" s USING (scan_id, file_id)
GROUP BY ALL
