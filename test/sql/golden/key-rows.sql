CREATE TABLE __log AS SELECT t.* FROM l t SEMI JOIN __key USING ("id", "country");
CREATE TABLE __history AS SELECT t.* FROM h t SEMI JOIN __key USING ("id", "country");
CREATE TABLE __fresh AS SELECT * FROM __log WHERE false