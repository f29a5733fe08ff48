// question: Which accounts are members of a ring, and in what role?
// param ring (text): the ring's id
// columns: account_id, role, score, status, plan, requests, first_seen, last_seen, banned_at
// example: --param ring=ring-0001
MATCH (account:Account)-[member:MEMBER_OF]->(:Ring {ring_id: $ring})
RETURN
  account.account_id AS account_id,
  member.role AS role,
  member.score AS score,
  account.status AS status,
  account.plan AS plan,
  account.requests AS requests,
  account.first_seen AS first_seen,
  account.last_seen AS last_seen,
  account.banned_at AS banned_at
ORDER BY score DESC, account_id
