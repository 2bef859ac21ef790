"""Speaks the Model Context Protocol with a server as any client of the Python SDK does.

The arguments are the server's command line. Standard input holds a JSON list of calls, each a tool's name and its
arguments. What the server says of itself, its tools, and the answer to each call are printed as JSON.
"""

import asyncio
import json
import os
import sys

from mcp import ClientSession, MCPError, StdioServerParameters, stdio_client


async def answer(session, tool, arguments):
    try:
        result = await session.call_tool(tool, arguments)
    except MCPError as refused:
        return {"refused": refused.error.code, "message": refused.error.message}
    return result.model_dump(mode="json", by_alias=True)


async def main():
    server = StdioServerParameters(command=sys.argv[1], args=sys.argv[2:], env=dict(os.environ))
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        started = await session.initialize()
        tools = await session.list_tools()
        answers = [await answer(session, *call) for call in json.load(sys.stdin)]
    print(
        json.dumps(
            {
                "server": started.model_dump(mode="json", by_alias=True),
                "tools": [tool.model_dump(mode="json", by_alias=True) for tool in tools.tools],
                "answers": answers,
            }
        )
    )


asyncio.run(main())
