FROM __parsed
