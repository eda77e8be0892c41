SELECT "__hash" FROM __parsed
