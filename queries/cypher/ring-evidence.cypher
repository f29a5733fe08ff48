// question: What speaks for a ring, family by family?
// param ring (text): the ring's id
// columns: family, weight, statement, decision, probability, size
// example: --param ring=ring-0001
MATCH (ring:Ring {ring_id: $ring})
UNWIND range(0, size(ring.evidence_families) - 1) AS i
RETURN
  ring.evidence_families[i] AS family,
  ring.evidence_weights[i] AS weight,
  ring.evidence_statements[i] AS statement,
  ring.decision AS decision,
  ring.probability AS probability,
  ring.size AS size
ORDER BY weight DESC, family
