"""A pair of tiny Llama models whose speculation pays on one domain and hurts on another.

The target knows two synthetic domains, A and B; the draft knows A alone. So the engine accepts the drafts of
traffic on A and rejects those of traffic on B. The commands run in the engine's environment:

    python -m devcluster.models build DIR
    python -m devcluster.models check DIR
"""
