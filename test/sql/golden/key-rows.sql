CREATE TABLE __log AS SELECT t.*, 0 AS __bucket FROM l t SEMI JOIN __key USING ("id", "country");
CREATE TABLE __history AS SELECT t.*, 0 AS __bucket FROM h t SEMI JOIN __key USING ("id", "country");
CREATE TABLE __fresh AS SELECT * FROM __log WHERE false