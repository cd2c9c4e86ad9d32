"""What the pages share: state, forms, drawings, background jobs, messages. Streamlit is known here and in pages only."""
