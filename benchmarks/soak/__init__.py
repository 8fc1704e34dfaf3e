"""A server under visitors who train, while its workers are killed and their streams are cut: is anything lost?"""
