module spire-aws-kms/bench/go-stub

go 1.24
