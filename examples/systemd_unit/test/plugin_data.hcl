proc_path = "/proc"
