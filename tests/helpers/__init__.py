"""What tests share: toy models, log rows, reference engines, servers."""
