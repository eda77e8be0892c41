SELECT source_file || ':' || line AS place, place || ': ' || array_to_string(details, ', ') AS example FROM s
WHERE list_contains(codes, 'o''code') ORDER BY source_file, line LIMIT 3
