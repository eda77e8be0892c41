DETACH "left"
