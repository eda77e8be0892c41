SET max_temp_directory_size = '123MB'
