INSERT INTO __shifts VALUES ('in/a.csv', 3, 4, 4)
