"""Parameters, counted by hand for a shape small enough to follow."""

from dataclasses import replace

import pytest

from specdecode_operator.sizing.parameters import (
    EAGLE3_STATES,
    EAGLE_STATES,
    Experts,
    Latent,
    Shape,
    active_parameters,
    total_parameters,
)

# 2 layers of width 8, 4 heads of 2, 2 KV heads, feed-forward 16, 100 tokens
SMALL = Shape("llama", layers=2, hidden=8, intermediate=16, heads=4, kv_heads=2, head_dim=2, vocabulary=100)
EMBEDDING = 100 * 8
ATTENTION = 8 * 8 + 2 * 8 * 4 + 8 * 8
FEED_FORWARD = 3 * 8 * 16
NORMS = 2 * 8
LAYER = ATTENTION + FEED_FORWARD + NORMS
FINAL_NORM = 8


def test_a_dense_model_is_embeddings_layers_and_a_norm() -> None:
    assert total_parameters(SMALL) == 2 * EMBEDDING + 2 * LAYER + FINAL_NORM
    assert active_parameters(SMALL) is None


def test_a_tied_output_layer_is_counted_once() -> None:
    assert total_parameters(replace(SMALL, tied=True)) == EMBEDDING + 2 * LAYER + FINAL_NORM


@pytest.mark.parametrize(
    ("model_type", "added"),
    [
        ("mistral", 0),
        ("phi3", 0),
        ("qwen2", 8 + 2 * 4),
        ("qwen3", 2 * 2),
        ("gemma2", 2 * 8),
        ("gemma3_text", 2 * 8 + 2 * 2),
        ("of-tomorrow", 0),
    ],
)
def test_a_family_adds_biases_or_norms_to_each_layer(model_type: str, added: int) -> None:
    assert total_parameters(replace(SMALL, model_type=model_type)) - total_parameters(SMALL) == 2 * added


class TestMixtures:
    experts = Experts(count=4, per_token=2, width=6)
    mixture = replace(SMALL, experts=experts)

    def test_every_expert_counts_and_a_token_uses_some(self) -> None:
        router, expert = 8 * 4, 3 * 8 * 6
        common = 2 * EMBEDDING + FINAL_NORM + 2 * (ATTENTION + NORMS + router)
        assert total_parameters(self.mixture) == common + 2 * 4 * expert
        assert active_parameters(self.mixture) == common + 2 * 2 * expert

    def test_a_shared_expert_is_used_by_every_token(self) -> None:
        shared = replace(SMALL, experts=replace(self.experts, shared_width=5))
        added = 2 * 3 * 8 * 5
        assert total_parameters(shared) - total_parameters(self.mixture) == added
        assert (active_parameters(shared) or 0) - (active_parameters(self.mixture) or 0) == added

    def test_leading_layers_can_be_dense(self) -> None:
        first = replace(SMALL, experts=replace(self.experts, dense_layers=1))
        sparse = 8 * 4 + 4 * 3 * 8 * 6
        assert total_parameters(self.mixture) - total_parameters(first) == sparse - FEED_FORWARD

    def test_experts_with_biases_are_those_of_gpt_oss(self) -> None:
        attention_biases = 8 + 2 * 4 + 8 + 4
        expert_biases = 4 + 4 * (2 * 6 + 8)
        added = total_parameters(replace(self.mixture, model_type="gpt_oss")) - total_parameters(self.mixture)
        assert added == 2 * (attention_biases + expert_biases)


class TestLatentAttention:
    latent = Latent(kv_rank=3, rope_dim=2, nope_dim=2, value_dim=2, query_rank=None)

    def layer(self, latent: Latent) -> int:
        whole = total_parameters(replace(SMALL, layers=1, latent=latent))
        return whole - 2 * EMBEDDING - FINAL_NORM - FEED_FORWARD - NORMS

    def test_keys_and_values_go_through_a_narrow_vector(self) -> None:
        queries = 8 * 4 * (2 + 2)
        down, norm, up = 8 * (3 + 2), 3, 3 * 4 * (2 + 2)
        assert self.layer(self.latent) == queries + down + norm + up + 4 * 2 * 8

    def test_queries_can_go_through_one_too(self) -> None:
        narrowed = replace(self.latent, query_rank=5)
        assert self.layer(narrowed) - self.layer(self.latent) == 5 * (8 + 16 + 1) - 8 * 16


class TestHeads:
    head = replace(SMALL, layers=1, joined_states=EAGLE_STATES)

    def test_an_eagle_head_is_a_projection_and_a_layer(self) -> None:
        assert total_parameters(self.head) == 2 * 8 * 8 + LAYER

    def test_an_eagle3_head_reads_twice_as_much(self) -> None:
        wide = replace(self.head, joined_states=EAGLE3_STATES)
        assert total_parameters(wide) == 3 * 8 * 8 + LAYER + 8 * 2 * (4 + 2 * 2) + 2 * 8

    def test_an_output_layer_of_its_own_is_as_long_as_its_vocabulary(self) -> None:
        own = replace(self.head, draft_vocabulary=10)
        assert total_parameters(own) - total_parameters(self.head) == 10 * 8
