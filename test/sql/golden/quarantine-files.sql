SELECT path FROM __failed UNION SELECT path FROM __malformed
