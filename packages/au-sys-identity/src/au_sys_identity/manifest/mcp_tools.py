"""What a language model may ask of identity: operations of the API, by the same caller with the same rights."""

from fastapi_services_platform import McpTool

MCP_TOOLS = (
    McpTool("whoami", "Who you are on this platform, who answers for you, and what you were let in for.", "get_me"),
    McpTool(
        "may_i",
        "Whether you may do an action on a resource. Ask before you act; with explain a no says what is missing.",
        "check_access",
    ),
    McpTool(
        "why",
        "The shortest reason for a decision: the rule, the roles on the way, or what is missing.",
        "explain_access",
    ),
    McpTool(
        "request_approval",
        "Ask the people who answer for you to approve one exact call. Nothing happens until one of them has.",
        "request_approval",
    ),
    McpTool("approval_state", "What became of an approval that you asked for.", "get_approval"),
    McpTool("request_access", "Ask for a role that may be asked for, with your reason.", "submit_access_request"),
)
