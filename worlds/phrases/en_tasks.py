"""English prompts around a passage: private questions, public tasks, assignments."""

from __future__ import annotations

QUESTIONS = (
    ("Case notes:\n\n", "\n\nReturn the result as agreed."),
    ("Please handle the following item.\n\n", "\n\nKeep to the format used so far."),
    ("New entry from the inbox:\n---\n", "\n---\nWhat should we reply?"),
    ("Here is the next text.\n\n", "\n\nApply all instructions to it and leave nothing out."),
    ("Input:\n", "\n\nOutput:"),
    ("A colleague has sent me this and asks for our assessment:\n\n", "\n\nThank you in advance."),
)
TASKS = (
    ("Translate into German:\n\n", ""),
    ("Summarise the following text in five bullet points.\n\n", ""),
    (
        "Fix the bug in this code and explain what was wrong:\n\n",
        "\n\nPlease return the whole corrected file.",
    ),
    ("Write a short birthday poem that takes up something from these lines:\n\n", "\n\nIt should rhyme."),
    ("Plan a weekend trip by train that fits these notes:\n\n", "\n\nAdd rough prices."),
    ("Explain this to a twelve-year-old:\n\n", ""),
    ("Rewrite this e-mail so that it sounds friendlier:\n\n", ""),
    ("Correct spelling and grammar, change nothing else:\n\n", ""),
    (
        "Grade this paragraph from 1 to 10 for clarity, grammar and tone:\n\n",
        "\n\nGive a reason for each mark.",
    ),
    ("Explain step by step whether this argument is valid:\n\n", "\n\nOnly then state your conclusion."),
    ("Turn these notes into a table with three columns:\n\n", ""),
    ("Continue this story in the same style:\n\n", "\n\nStop at an exciting moment."),
    ("Write unit tests for the code described here:\n\n", "\n\nCover the edge cases as well."),
    ("Give three arguments for and three against the following:\n\n", ""),
    ("Find a good headline for this text:\n\n", "\n\nSuggest ten and pick the best."),
    ("Draft a cover letter based on this career history:\n\n", "\n\nOne page at most."),
    ("Which questions might an interviewer ask about this?\n\n", "\n\nAdd a model answer to each."),
    ("What does this error message mean?\n\n", "\n\nHow can I get rid of it?"),
    ("List all names, dates and amounts in this text:\n\n", ""),
    ("Shorten this to half its length without losing facts:\n\n", ""),
    ("Make a training plan for eight weeks from this:\n\n", "\n\nI can run twice a week."),
    ("Write a polite refusal to this letter:\n\n", ""),
    ("Make flash cards for an exam from this chapter:\n\n", "\n\nQuestion on the front, answer on the back."),
    ("Is there anything in this contract clause that I should watch out for?\n\n", ""),
    ("Convert this code to Python:\n\n", "\n\nKeep the comments."),
    ("Make a shopping list from this recipe:\n\n", "\n\nThere will be six of us."),
    ("Write a regular expression that matches all lines like these:\n\n", "\n\nExplain its parts."),
    ("Is the tone of this message polite, neutral or rude?\n\n", "\n\nOne word is enough."),
    ("Find the mistake in this proof:\n\n", "\n\nShow every step of your check."),
    ("Write the minutes of the meeting from these jottings:\n\n", "\n\nPut the decisions first."),
)
ASSIGNMENTS = (
    (
        "Exercise sheet 4, course: ",
        (
            ".\n\n"
            "Read the passage below with care and state its main claim in your own words. Then examine "
            "whether the claim holds, and show every step of your reasoning, including the steps that seem "
            "obvious. Use at least two of the methods from the lecture.\n\n"
            "Passage:\n"
        ),
        (
            "\n\n"
            "Finally, grade your own solution by the rubric: five points for correctness, three for "
            "completeness, two for clarity. Give a reason for each point you deduct."
        ),
    ),
    (
        "Take-home examination, module: ",
        (
            ".\n\n"
            "You have until noon on Friday. Answer the task as if you were explaining it to a fellow student "
            "who missed the last three weeks, and leave out no intermediate step. Aids are allowed as long "
            "as you name them.\n\n"
            "Task:\n"
        ),
        (
            "\n\n"
            "At the end, draw up a marking scheme with four criteria and say how many of five points your "
            "answer deserves under each."
        ),
    ),
    (
        "Seminar paper, week 7, topic: ",
        (
            ".\n\n"
            "The text printed here contains at least two errors. Find them, correct them and justify each "
            "correction step by step with reference to the seminar notes. Then write a better version of the "
            "text in no more than three hundred words.\n\n"
            "Text:\n"
        ),
        (
            "\n\n"
            "Compare your version with the original by the rubric of the seminar (accuracy, structure, "
            "language, sources) and award one to six points for each. Say what is still missing for full "
            "marks."
        ),
    ),
)
