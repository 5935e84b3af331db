"""Taking envelopes in: admit (who sent it, is it whole, is it allowed), commit (many at once), answer (after that).

Nothing is judged and nobody is paged inside a request. A raw ASGI route stands in front of the web framework because
at a thousand agents the framework would cost more than everything else together.
"""
