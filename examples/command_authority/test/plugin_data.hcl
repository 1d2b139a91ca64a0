command = "/usr/bin/false"
roots_file = "test/roots.pem"
