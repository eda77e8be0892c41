(SELECT "id", "coun""try", "at", "price", __bucket FROM __recomputed ANTI JOIN __same USING ("id", "coun""try", valid_from))
