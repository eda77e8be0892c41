SELECT try_strptime('', '%d ''%m') AS ok
