SELECT regexp_full_match('', '[a-z'']*') AS ok
