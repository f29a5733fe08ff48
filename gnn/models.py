"""The graph neural network: a logit per account from its attributes and what surrounds it."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from ringfence.gnn.features import ACCOUNT
from ringfence.snapshot import EdgeType

with warnings.catch_warnings():
    # torch-geometric calls torch.jit on import, which newer versions of torch advise against.
    warnings.simplefilter("ignore")
    from torch_geometric.nn import SimpleConv

Inputs = dict[str, Tensor]
"""Node type → shape ``(n, f)``."""

Relations = dict[EdgeType, tuple[Tensor, Tensor]]
"""Relation → edge index, shape ``(2, e)``, and edge weights, shape ``(e,)``."""


class Layer(nn.Module):
    r"""One round of messages over every relation, added to each node's state.

    .. math::
        m_v^r = \sum_{u \to v} c_{uv} W_r h_u, \qquad
        h_v' = \mathrm{LayerNorm}(h_v + \mathrm{drop}(\mathrm{relu}(W_0 h_v + \sum_r m_v^r)))

    With :math:`\sum_u c_{uv} = 1` a message is a weighted mean: GraphSAGE (Hamilton et al. 2017), a matrix
    per relation as in R-GCN (Schlichtkrull et al. 2018). A node without edges of a relation receives zeros
    from it; a node type that no relation reaches keeps its states.
    """

    def __init__(self, relations: list[EdgeType], width: int, dropout: float) -> None:
        super().__init__()
        self.relations = relations
        targets = sorted({target for _source, _relation, target in relations})
        self.messages = nn.ModuleDict({_key(r): nn.Linear(width, width, bias=False) for r in relations})
        self.roots = nn.ModuleDict({node: nn.Linear(width, width) for node in targets})
        self.norms = nn.ModuleDict({node: nn.LayerNorm(width) for node in targets})
        self.gather = SimpleConv(aggr="sum")
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Inputs, relations: Relations) -> Inputs:
        """Return node type → new states, shapes as given: ``(n, width)``."""
        received = {node: root(states[node]) for node, root in self.roots.items()}
        for relation in self.relations:
            source, _name, target = relation
            index, weight = relations[relation]
            sent = self.messages[_key(relation)](states[source])
            received[target] = received[target] + self.gather((sent, states[target]), index, weight)
        changed = {
            node: self.norms[node](states[node] + self.dropout(torch.relu(total)))
            for node, total in received.items()
        }
        return {**states, **changed}


class RingNet(nn.Module):
    r"""Heterogeneous graph neural network over accounts and the entities they share.

    Each node type is projected to a common width, :math:`h^0 = \mathrm{relu}(W_{type} x + b_{type})`; then
    come the layers; the head reads an account's state beside its own projected attributes, so that what
    the account itself did is never smoothed away:

    .. math:: z_v = w^\top [h^L_v \,\|\, h^0_v] + b

    Accounts without any edge, and graphs without any relation, are judged by their own attributes.

    Args:
        inputs: node type → number of input columns, each at least 1.
        relations: both directions.
        width: of all states.
        layers: rounds of messages, at least 1; in the last one only accounts receive.
        dropout: share of states dropped in training.
    """

    def __init__(
        self, inputs: dict[str, int], relations: list[EdgeType], width: int, layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.projections = nn.ModuleDict({node: nn.Linear(f, width) for node, f in inputs.items()})
        to_accounts = [relation for relation in relations if relation[2] == ACCOUNT]
        rounds = [relations] * (layers - 1) + [to_accounts]
        self.layers = nn.ModuleList(Layer(used, width, dropout) for used in rounds)
        self.head = nn.Linear(2 * width, 1)

    def forward(self, inputs: Inputs, relations: Relations) -> Tensor:
        """Return logits of accounts; shape: ``(n,)``."""
        first = {node: torch.relu(project(inputs[node])) for node, project in self.projections.items()}
        states = first
        for layer in self.layers:
            states = layer(states, relations)
        logits: Tensor = self.head(torch.cat([states[ACCOUNT], first[ACCOUNT]], dim=1))
        return logits[:, 0]


def _key(relation: EdgeType) -> str:
    return "__".join(relation)
