USE "left"
