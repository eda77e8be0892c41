SELECT count(*) AS keys, coalesce(sum(was), 0) AS was, coalesce(sum(now), 0) AS now, arg_min(struct_pack(c0 := c0, was := was, now := now), row(c0), 2) AS keys_shown FROM __twice
